// The axes of the chart: times of the day and watts.

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600];
/** Ends of the watt axis in each decade: close enough together that little room is lost, so few that it seldom moves. */
const ENDS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
const HEADROOM = 1.04;
const LEAST_W = 1;

/** @param {number} top_w the highest value that is shown */
export function endOf(top_w) {
  const wanted = Math.max(LEAST_W, top_w * HEADROOM);
  const decade = 10 ** Math.floor(Math.log10(wanted));
  return (ENDS.find((end) => end * decade >= wanted - 1e-9) ?? 10) * decade;
}

/**
 * @param {number} at_unix_s
 * @param {boolean} seconds
 */
function timeOfDay(at_unix_s, seconds) {
  const at = new Date(1000 * at_unix_s);
  const parts = [at.getHours(), at.getMinutes(), ...(seconds ? [at.getSeconds()] : [])];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** @param {number[]} splits */
function wattLabels(splits) {
  const most = splits[splits.length - 1] ?? 0;
  return splits.map((power_w) => (most >= 10_000 ? `${power_w / 1000} kW` : `${power_w} W`));
}

/** @param {import("../theme.js").Inks} inks */
export function axes(inks) {
  const common = {
    stroke: () => inks.of("var(--quiet)"),
    font: "11px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
    ticks: { show: false },
  };
  return [
    {
      ...common, grid: { show: false }, size: 24, gap: 6, space: 80, incrs: STEPS_S,
      /** @param {unknown} _u @param {number[]} splits @param {number} _i @param {number} _space @param {number} step_s */
      values: (_u, splits, _i, _space, step_s) => splits.map((at_s) => timeOfDay(at_s, step_s < 60)),
    },
    {
      ...common, grid: { stroke: () => inks.of("var(--grid)"), width: 1 }, size: 58, gap: 6, space: 44,
      /** @param {unknown} _u @param {number[]} splits */
      values: (_u, splits) => wattLabels(splits),
    },
  ];
}
