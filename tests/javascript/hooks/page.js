// Where the page's modules lie, and that they are modules: no package.json beside them says so, for a browser asks for none.

const PAGE = new URL("../../../exporters/aipower_exporters/live/static/js/", import.meta.url).href;

export function resolve(name, context, next) {
  if (!name.startsWith("page/")) return next(name, context);
  return next(new URL(name.slice("page/".length), PAGE).href, context);
}

export function load(url, context, next) {
  return url.startsWith(PAGE) ? next(url, { ...context, format: "module" }) : next(url, context);
}
