// The view in the address: it can be shared and lasts over a reload. Nothing is stored.

import { hashOf, viewOf } from "./view.js";

/** @param {import("./store.js").Store} store */
export function watchHash(store) {
  store.subscribe((state, before) => {
    if (state.view === before.view) return;
    const hash = hashOf(state.view);
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  });
  addEventListener("hashchange", () => {
    // A link within the page (to a section) is no view.
    const name = location.hash.slice(1);
    if (name && document.getElementById(name)) return;
    store.update({ view: viewOf(location.hash) });
  });
}
