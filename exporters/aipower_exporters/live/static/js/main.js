// Puts the page together.

import { mountMainChart } from "./charts/mainchart.js";
import { mountDevices } from "./devices/devices.js";
import { Feed } from "./feed.js";
import { watchHash } from "./hash.js";
import { mountHeader } from "./header/header.js";
import { mountToolbar } from "./header/toolbar.js";
import { mountBanner } from "./panels/banner.js";
import { mountEnergy } from "./panels/energy.js";
import { mountFootprint } from "./panels/footprint.js";
import { mountHealth } from "./panels/health.js";
import { mountHelp } from "./panels/help.js";
import { watchSight } from "./sight.js";
import { Store } from "./store.js";
import { mountJobs } from "./tables/jobs.js";
import { mountProcesses } from "./tables/processes.js";
import { mountRuns } from "./tables/runs.js";
import { watchTheme } from "./theme.js";
import { viewOf } from "./view.js";
import { watchZoom } from "./zoomfeed.js";

/** @type {Record<string, (root: HTMLElement, store: Store) => void>} */
const PARTS = {
  banner: mountBanner, header: mountHeader, toolbar: mountToolbar, chart: mountMainChart, devices: mountDevices,
  processes: mountProcesses, jobs: mountJobs, runs: mountRuns, energy: mountEnergy, footprint: mountFootprint,
  health: mountHealth, help: mountHelp,
};

/** @param {Store} store */
function feed(store) {
  const sights = new Map(["processes", "jobs", "runs"].map((id) => {
    const root = document.getElementById(id);
    return [id, root ? watchSight(root, () => polled.look()) : () => false];
  }));
  const polled = new Feed(store, (part) => sights.get(part)?.() ?? false);
  polled.start();
}

function start() {
  const store = new Store({ view: viewOf(location.hash) });
  // First of all, so that no part asks for the colour of a device before it has one.
  store.subscribe(({ snapshot }) => snapshot && store.palette.devices(snapshot.devices.map((device) => device.id)));
  watchTheme(store);
  watchHash(store);
  for (const [id, mount] of Object.entries(PARTS)) {
    const root = document.getElementById(id);
    if (root) mount(root, store);
  }
  watchZoom(store);
  feed(store);
}

start();
