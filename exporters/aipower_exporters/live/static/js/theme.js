// Light or dark: the system's choice until the reader makes one. Nothing else is kept in the browser.

const KEY = "aipower-theme";

/** @param {string} theme */
function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage may be forbidden: the choice lasts for this page then.
  }
}

/** @param {MediaQueryList} dark */
function current(dark) {
  const chosen = document.documentElement.dataset.theme;
  return (chosen ? chosen === "dark" : dark.matches) ? "dark" : "light";
}

/**
 * Keeps `state.theme` as the page looks.
 * @param {import("./store.js").Store} store
 */
export function watchTheme(store) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const tell = () => store.update({ theme: current(dark) });
  dark.addEventListener("change", tell);
  watchPaper(store, tell);
  tell();
}

/**
 * Paper is light, whatever the reader's screen is: charts are drawn anew in the colours for it, and back.
 * @param {import("./store.js").Store} store
 * @param {() => void} tell
 */
function watchPaper(store, tell) {
  const { dataset } = document.documentElement;
  /** @type {string | undefined} */
  let kept;
  const turn = () => {
    tell();
    store.flush();
  };
  addEventListener("beforeprint", () => {
    kept = dataset.theme;
    dataset.theme = "light";
    turn();
  });
  addEventListener("afterprint", () => {
    if (kept === undefined) delete dataset.theme;
    else dataset.theme = kept;
    turn();
  });
}

/** @param {import("./store.js").Store} store */
export function turnTheme(store) {
  const theme = store.state.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  remember(theme);
  store.update({ theme });
}

/** The colours of the style sheets for a canvas, which knows no variables. */
export class Inks {
  /** @type {Map<string, string>} */
  #found = new Map();
  /** @type {HTMLElement} */
  #probe;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#probe = document.createElement("span");
    this.#probe.hidden = true;
    root.append(this.#probe);
  }

  /** To be called when the theme has changed. */
  forget() {
    this.#found.clear();
  }

  /** @param {string} color as in a style sheet */
  of(color) {
    const known = this.#found.get(color);
    if (known) return known;
    this.#probe.style.color = color;
    const ink = getComputedStyle(this.#probe).color;
    this.#found.set(color, ink);
    return ink;
  }
}
