/* Tables on paper: nobody can ask paper for the rest. */

/** @param {{print: (printing: boolean) => void}} table */
export function printWhole(table) {
  window.addEventListener("beforeprint", () => table.print(true));
  window.addEventListener("afterprint", () => table.print(false));
}
