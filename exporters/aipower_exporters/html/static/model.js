"use strict";

/* What the chart draws, worked out from the record; nothing here touches the page. */
const Model = (() => {
  const LONG = [
    { from_s: 3 * 3600, div: 3600, name: "h" },
    { from_s: 5 * 60, div: 60, name: "min" },
    { from_s: 0, div: 1, name: "s" },
  ];
  const MOST_LANES = 4;
  const PHASE_HUES = 6;

  /* All edges of the devices' steps, in seconds; devices may have steps of different lengths. */
  function edges(power, wall_s) {
    const found = new Set();
    for (const series of power) {
      for (let i = 0; i <= series.power_w.length; i++) found.add(i * series.step_s);
    }
    const sorted = [...found].sort((a, b) => a - b);
    const apart = sorted.filter((edge, i) => i === 0 || edge - sorted[i - 1] > 1e-9);
    return trimmed(apart, wall_s);
  }

  /* The run may end within its last step. */
  function trimmed(sorted, wall_s) {
    const n = sorted.length;
    if (n > 1 && sorted[n - 2] < wall_s && wall_s < sorted[n - 1]) sorted[n - 1] = wall_s;
    return sorted;
  }

  /* The value of the step that begins at each edge; the last edge repeats the last step, so that it has a width. */
  function sampled(values, step_s, xs) {
    const last = xs.length - 1;
    return xs.map((_, i) => {
      const from = xs[Math.min(i, last - 1)];
      const value = values[Math.floor(from / step_s + 1e-6)];
      return value === undefined ? null : value;
    });
  }

  function ratios(energy_j, interval_j) {
    if (!energy_j || !interval_j) return null;
    return [interval_j[0] / energy_j, interval_j[1] / energy_j];
  }

  function device(series, record, labels, xs) {
    const row = record.devices.find((one) => one.device === series.device) || {};
    return {
      id: series.device,
      ...labels[series.device],
      whole: sampled(series.power_w, series.step_s, xs),
      run: sampled(series.run_power_w, series.step_s, xs),
      wholeRatios: ratios(row.energy_j, row.interval_j),
      runRatios: ratios(row.run_energy_j, row.run_interval_j),
    };
  }

  function bands(phases, div) {
    const found = [];
    phases.forEach((phase, order) => {
      const depth = phase.path.length;
      if (depth === 0 || depth > MOST_LANES) return;
      for (const [start_s, end_s] of phase.spans) {
        found.push({
          start: start_s / div, end: end_s / div, depth, hue: order % PHASE_HUES,
          name: phase.path[depth - 1], path: phase.path.join(" / "),
        });
      }
    });
    return found.sort((a, b) => a.start - b.start || a.depth - b.depth);
  }

  /* The whole picture: `xs` in `unit`, devices with their power, phases as bands. */
  function of(record, labels) {
    const power = record.power.filter((series) => series.step_s > 0 && series.power_w.some((power_w) => power_w !== null));
    const xs = edges(power, record.wall_s);
    const unit = LONG.find((one) => xs[xs.length - 1] >= one.from_s);
    const phases = bands(record.phases, unit.div);
    return {
      unit,
      xs: xs.map((x) => x / unit.div),
      devices: power.map((series) => device(series, record, labels, xs)),
      phases,
      lanes: phases.reduce((most, band) => Math.max(most, band.depth), 0),
    };
  }

  /* Running sums from the first device up. A device that is not known for a while has no layer there; where none is
     known there is a gap. */
  function stacked(rows) {
    const known = rows.length ? rows[0].map((_, i) => rows.some((row) => row[i] !== null)) : [];
    const sums = [];
    for (const row of rows) {
      const below = sums[sums.length - 1];
      sums.push(row.map((value, i) => (known[i] ? (value ?? 0) + (below ? below[i] : 0) : null)));
    }
    return sums;
  }

  function scaled(values, ratio) {
    return values.map((value) => (value === null ? null : value * ratio));
  }

  function phasesAt(picture, x) {
    const inside = picture.phases.filter((band) => band.start <= x && x < band.end);
    const deepest = inside.filter((band) => !inside.some((other) => other.path.startsWith(`${band.path} / `)));
    return [...new Set(deepest.map((band) => band.path))];
  }

  return { of, stacked, scaled, phasesAt };
})();
