// Runs before the first paint: the reader's choice of colours must not flash up as the other one.
"use strict";
(() => {
  try {
    const kept = localStorage.getItem("aipower-theme");
    if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  } catch {
    // Storage may be forbidden; the system's choice counts then.
  }
})();
