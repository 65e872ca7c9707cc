/* The chart over time: what is shown is rebuilt from the picture and the state whenever the state changes. */
const Chart = (() => {
  const HEIGHT = 300;
  const LANE = 18;
  const LEAST_STEPS = 2;

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const hue = (device) => css(`--hue-${device.hue}`);
  const dash = (device) => [[], [6, 3], [2, 3], [8, 3, 2, 3]][Math.min(device.dash, 3)];
  const stepped = uPlot.paths.stepped({ align: 1 });

  function alpha(color, part) {
    const value = parseInt(color.slice(1), 16);
    return `rgba(${value >> 16}, ${(value >> 8) & 255}, ${value & 255}, ${part})`;
  }

  /* Series are collected with their data, so that neither can slip against the other. */
  function collector(xs) {
    const found = { data: [xs], series: [{}], bands: [] };
    return {
      found,
      add(values, options) {
        found.data.push(values);
        found.series.push({ paths: stepped, points: { show: false }, width: 1.5, ...options });
        return found.series.length - 1;
      },
      band(high, low, fill) {
        found.bands.push({ series: [high, low], fill });
      },
    };
  }

  function lines(devices, state, into) {
    for (const device of devices) {
      const color = hue(device);
      const main = state.part === "run" ? device.run : device.whole;
      const ratios = state.part === "run" ? device.runRatios : device.wholeRatios;
      if (state.part === "both") {
        into.add(device.run, { stroke: color, width: 1, dash: [3, 3], fill: alpha(color, 0.1) });
      }
      if (state.intervals && ratios) {
        const [low, high] = ratios.map((ratio) => into.add(Model.scaled(main, ratio), { width: 0 }));
        into.band(high, low, alpha(color, 0.16));
      }
      into.add(main, { stroke: color, dash: dash(device) });
    }
  }

  function stack(devices, state, into) {
    const shown = devices.filter((device) => device.summed);
    const sums = Model.stacked(shown.map((device) => (state.part === "run" ? device.run : device.whole)));
    shown.forEach((device, i) => {
      const color = hue(device);
      const options = { stroke: color, width: 1, dash: dash(device) };
      const index = into.add(sums[i], i === 0 ? { ...options, fill: alpha(color, 0.55) } : options);
      if (i > 0) into.band(index, index - 1, alpha(color, 0.55));
    });
  }

  const fits = (ctx, text, width) => {
    if (ctx.measureText(text).width <= width) return text;
    const letters = Math.floor(width / (ctx.measureText(text).width / text.length)) - 1;
    return letters > 0 ? `${text.slice(0, letters)}…` : "";
  };

  /* Calls draw(band, left, right) in canvas pixels, for bands in view that are not hidden under one just drawn. */
  function eachBand(u, picture, draw) {
    const { left, width } = u.bbox;
    const reached = [];
    for (const band of picture.phases) {
      const from = Math.max(left, u.valToPos(band.start, "x", true));
      const to = Math.min(left + width, Math.max(u.valToPos(band.end, "x", true), from + 1));
      if (to <= left || from >= left + width || to <= (reached[band.depth] ?? -1) ) continue;
      if (to - from < 3) reached[band.depth] = to;
      draw(band, from, to);
    }
  }

  function shade(u, picture) {
    const { top, height } = u.bbox;
    eachBand(u, picture, (band, left, right) => {
      if (band.depth !== 1) return;
      u.ctx.fillStyle = alpha(css(`--phase-${band.hue}`), 0.09);
      u.ctx.fillRect(left, top, right - left, height);
    });
  }

  function lanes(u, picture) {
    const ratio = uPlot.pxRatio;
    const ctx = u.ctx;
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    eachBand(u, picture, (band, left, right) => {
      const top = u.bbox.top - (picture.lanes - band.depth + 1) * LANE * ratio - 2 * ratio;
      const height = (LANE - 2) * ratio;
      ctx.fillStyle = alpha(css(`--phase-${band.hue}`), 0.32);
      ctx.fillRect(left, top, Math.max(ratio, right - left - ratio), height);
      const text = fits(ctx, band.name, right - left - 8 * ratio);
      ctx.fillStyle = css("--text");
      if (text) ctx.fillText(text, left + 4 * ratio, top + height / 2 + ratio / 2);
    });
    ctx.restore();
  }

  function axes(picture) {
    const common = {
      stroke: css("--quiet"), font: "12px system-ui, sans-serif",
      grid: { stroke: css("--grid"), width: 1 }, ticks: { show: false },
    };
    const watts = (value) => (value >= 1e4 ? `${value / 1e3} kW` : `${value} W`);
    return [
      { ...common, grid: { show: false }, size: 28, values: (_, splits) => splits.map((x) => `${+x.toFixed(6)} ${picture.unit.name}`), space: 80 },
      { ...common, size: 60, values: (_, splits) => splits.map(watts) },
    ];
  }

  function options(picture, state, found, width, onCursor) {
    const phases = state.phases && picture.lanes > 0;
    const span = picture.xs[picture.xs.length - 1] - picture.xs[0];
    return {
      width, height: HEIGHT, series: found.series, bands: found.bands, axes: axes(picture),
      padding: [phases ? picture.lanes * LANE + 10 : 12, 20, 0, 0],
      legend: { show: false },
      cursor: {
        drag: { x: true, y: false, setScale: true, dist: 4 },
        points: { show: false }, y: false,
        bind: { dblclick: (u) => () => { full(u, picture); return null; } },
      },
      scales: {
        x: { time: false, range: (_, low, high) => clamp(low, high, picture, span) },
        y: { range: (_, low, high) => [0, high > 0 ? high * 1.06 : 1] },
      },
      hooks: {
        drawClear: phases ? [(u) => shade(u, picture)] : [],
        draw: phases ? [(u) => lanes(u, picture)] : [],
        setCursor: [onCursor],
        setScale: [(u, key) => { if (key === "x") state.range = [u.scales.x.min, u.scales.x.max]; }],
      },
    };
  }

  /* Never out of the run, and never closer than two steps. */
  function clamp(low, high, picture, span) {
    const first = picture.xs[0];
    const last = picture.xs[picture.xs.length - 1];
    const least = Math.min(span, LEAST_STEPS * (picture.xs[1] - first));
    const width = Math.min(span, Math.max(high - low, least));
    const start = Math.min(Math.max((low + high - width) / 2, first), last - width);
    return [start, start + width];
  }

  function full(u, picture) {
    u.setScale("x", { min: picture.xs[0], max: picture.xs[picture.xs.length - 1] });
  }

  /* A chart in `box`; `state` says what is shown, `onCursor(index, x)` is told where the pointer is. */
  function create(box, picture, state, onCursor) {
    const chart = { plot: null };
    const width = () => Math.max(200, box.clientWidth);

    chart.draw = () => {
      const range = state.range;
      const into = collector(picture.xs);
      const devices = picture.devices.filter((device) => !state.hidden.has(device.id));
      (state.layout === "stacked" ? stack : lines)(devices, state, into);
      if (chart.plot) chart.plot.destroy();
      const told = (u) => onCursor(u.cursor.idx, u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null);
      chart.plot = new uPlot(options(picture, state, into.found, width(), told), into.found.data, box);
      if (range) chart.plot.setScale("x", { min: range[0], max: range[1] });
    };
    chart.reset = () => full(chart.plot, picture);
    chart.zoom = (factor) => {
      const { min, max } = chart.plot.scales.x;
      const middle = (min + max) / 2;
      chart.plot.setScale("x", { min: middle - ((max - min) * factor) / 2, max: middle + ((max - min) * factor) / 2 });
    };
    chart.move = (part) => {
      const { min, max } = chart.plot.scales.x;
      chart.plot.setScale("x", { min: min + (max - min) * part, max: max + (max - min) * part });
    };
    chart.point = (steps) => {
      const u = chart.plot;
      const [from, to] = [u.valToIdx(u.scales.x.min), u.valToIdx(u.scales.x.max)];
      const now = u.cursor.left >= 0 ? u.cursor.idx : (steps > 0 ? from - 1 : to + 1);
      const next = Math.min(to, Math.max(from, now + steps));
      u.setCursor({ left: u.valToPos(picture.xs[next], "x") + 0.5, top: 10 });
    };
    new ResizeObserver(() => chart.plot && chart.plot.setSize({ width: width(), height: HEIGHT })).observe(box);
    chart.draw();
    return chart;
  }

  return { create };
})();
