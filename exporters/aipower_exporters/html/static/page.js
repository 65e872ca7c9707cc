/* Brings the page to life; without it all figures are there, and a still picture of the power over time. */
(() => {
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const FEW = 3;
  const MANY = 6;
  const UNKNOWN = "not known";

  function island(name) {
    return JSON.parse($(name).textContent);
  }

  /* The system's choice until the reader makes one; the choice lasts where the browser keeps it for this page. */
  function theme(onChange) {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
    const told = () => {
      $("theme").textContent = isDark() ? "Light" : "Dark";
      $("theme").setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
      onChange();
    };
    const kept = remembered();
    if (kept) root.dataset.theme = kept;
    $("theme").addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      told();
    });
    dark.addEventListener("change", told);
    told();
  }

  function remembered() {
    try {
      const kept = localStorage.getItem("aipower-theme");
      return kept === "dark" || kept === "light" ? kept : "";
    } catch {
      return "";
    }
  }

  function remember(choice) {
    try {
      localStorage.setItem("aipower-theme", choice);
    } catch { /* a page that may keep nothing still has its button */ }
  }

  function save(record) {
    $("save").addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([$("record").textContent, "\n"], { type: "application/json" }));
      link.download = `${record.run_id.replace(/[^\w.-]/g, "_") || "run"}.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }

  function begin(picture) {
    const many = picture.devices.length > MANY;
    return {
      layout: many ? "stacked" : "lines",
      part: picture.devices.length > FEW ? "device" : "both",
      intervals: !many, phases: true, hidden: new Set(), range: null,
    };
  }

  function controls(state, redraw) {
    for (const name of ["layout", "part"]) {
      for (const box of document.querySelectorAll(`input[name="${name}"]`)) {
        box.checked = box.value === state[name];
        box.addEventListener("change", () => { state[name] = box.value; settle(state); redraw(); });
      }
    }
    for (const name of ["intervals", "phases"]) {
      $(`show-${name}`).checked = state[name];
      $(`show-${name}`).addEventListener("change", (event) => { state[name] = event.target.checked; redraw(); });
    }
    settle(state);
  }

  /* Both parts of a device, and intervals, would hide each other in a stack. */
  function settle(state) {
    const stacked = state.layout === "stacked";
    document.querySelector('input[name="part"][value="both"]').disabled = stacked;
    $("show-intervals").disabled = stacked;
    if (stacked && state.part === "both") {
      state.part = "device";
      document.querySelector('input[name="part"][value="device"]').checked = true;
    }
  }

  function keys(chart) {
    const actions = {
      "+": () => chart.zoom(0.5), "=": () => chart.zoom(0.5), "-": () => chart.zoom(2),
      0: chart.reset, Escape: chart.reset, Home: () => chart.move(-1e6), End: () => chart.move(1e6),
    };
    $("chart").addEventListener("keydown", (event) => {
      const arrow = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const action = arrow
        ? () => (event.shiftKey ? chart.point(arrow) : chart.move(0.2 * arrow))
        : actions[event.key];
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action();
    });
    $("reset").addEventListener("click", chart.reset);
    $("zoom-in").addEventListener("click", () => chart.zoom(0.5));
    $("zoom-out").addEventListener("click", () => chart.zoom(2));
  }

  /* Each name in the legend becomes a button that hides its device; with the shift key it hides all others. */
  function legend(picture, state, redraw) {
    const rows = [...document.querySelectorAll("#power .legend tbody tr")];
    const told = () => rows.forEach((row, i) => {
      const shown = !state.hidden.has(picture.devices[i].id);
      row.classList.toggle("off", !shown);
      row.querySelector("button").setAttribute("aria-pressed", String(shown));
    });
    rows.forEach((row, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.title = "Show or hide; with Shift: only this one";
      button.append(...row.cells[0].childNodes);
      row.cells[0].append(button);
      button.addEventListener("click", (event) => {
        toggle(state.hidden, picture.devices.map((device) => device.id), i, event.shiftKey);
        told();
        redraw();
      });
    });
    told();
    return rows;
  }

  function toggle(hidden, ids, index, only) {
    const alone = ids.every((id, i) => hidden.has(id) === (i !== index));
    if (only) ids.forEach((id, i) => (alone || i === index ? hidden.delete(id) : hidden.add(id)));
    else if (!hidden.delete(ids[index])) hidden.add(ids[index]);
  }

  const watts = (value) => (value === null || value === undefined ? UNKNOWN : `${value.toFixed(1)} W`);

  function pointer(picture, rows) {
    return (index, x) => {
      const off = x === null || index === null || index === undefined;
      const step = off ? -1 : picture.xs.findLastIndex((edge) => edge <= x + 1e-9);
      picture.devices.forEach((device, i) => {
        const cells = rows[i].cells;
        cells[4].textContent = step < 0 ? "" : watts(device.whole[step]);
        cells[5].textContent = step < 0 ? "" : watts(device.run[step]);
      });
      const where = step < 0 ? [] : [`${+x.toFixed(3)} ${picture.unit.name}`, ...Model.phasesAt(picture, x)];
      $("readout").textContent = where.join(" · ");
    };
  }

  function live(record) {
    const picture = Model.of(record, island("labels"));
    if (picture.xs.length < 2) return () => {};
    const state = begin(picture);
    let chart = null;
    const redraw = () => chart && chart.draw();
    const rows = legend(picture, state, redraw);
    chart = shown(picture, state, rows);
    controls(state, redraw);
    keys(chart);
    root.chart = chart;
    return redraw;
  }

  /* The chart needs its place on the page to know its width; where it fails, the still picture is back. */
  function shown(picture, state, rows) {
    root.classList.add("live");
    try {
      return Chart.create($("chart"), picture, state, pointer(picture, rows));
    } catch (error) {
      root.classList.remove("live");
      throw error;
    }
  }

  /* Closed details are not printed: those worth the paper are opened for it. */
  function printing() {
    const wanted = () => document.querySelectorAll("details.print-open:not([open])");
    let opened = [];
    addEventListener("beforeprint", () => { opened = [...wanted()]; opened.forEach((one) => { one.open = true; }); });
    addEventListener("afterprint", () => { opened.forEach((one) => { one.open = false; }); opened = []; });
  }

  root.classList.add("js");
  const record = island("record");
  const redraw = $("chart") ? live(record) : () => {};
  theme(redraw);
  save(record);
  printing();
})();
