// Put into each page before its own scripts: notes what must not happen, and how smooth it is.
window.watch = { alerts: 0, violations: [], errors: [], long: [], marks: [] };
for (const name of ["alert", "confirm", "prompt"]) {
  window[name] = () => { window.watch.alerts += 1; };
}
document.addEventListener("securitypolicyviolation", (event) => {
  window.watch.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
window.addEventListener("error", (event) => { window.watch.errors.push(String(event.message)); });
window.addEventListener("unhandledrejection", (event) => { window.watch.errors.push(String(event.reason)); });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) { window.watch.long.push(entry.duration); }
}).observe({ type: "longtask", buffered: true });
