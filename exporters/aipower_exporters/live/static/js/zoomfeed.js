// Asks for finer steps when the reader looks closer. It works while the page is paused too.

import { ask, NoAnswer } from "./ask.js";
import { seriesOf } from "./charts/series.js";
import { zoomKey, zoomQuestion, zoomStep } from "./questions.js";

/**
 * Keeps `state.zoomed`.
 * @param {import("./store.js").Store} store
 */
export function watchZoom(store) {
  store.subscribe((state, before) => {
    const key = zoomKey(state.view);
    if (key === zoomKey(before.view)) return;
    if (state.zoomed) store.update({ zoomed: null });
    if (key) void fetchZoom(store, key);
  });
  const key = zoomKey(store.state.view);
  if (key) void fetchZoom(store, key);
}

/**
 * @param {import("./store.js").Store} store
 * @param {string} key
 */
async function fetchZoom(store, key) {
  const { view } = store.state;
  try {
    const doc = await ask("api/v1/history", zoomQuestion(view, zoomStep(view) ?? 60));
    if (zoomKey(store.state.view) === key) store.update({ zoomed: seriesOf(doc, key) });
  } catch (error) {
    // The steps that are there already stay; the poll says what is wrong with the agent.
    if (!(error instanceof NoAnswer)) throw error;
  }
}
