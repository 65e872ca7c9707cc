"""Power over time: the place for the live chart, a still one, and the figures behind both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aipower.runrecord import PowerSeries, RunRecord
from aipower_exporters.html.binning import binned, drawable, mean
from aipower_exporters.html.labels import Label, named, swatch
from aipower_exporters.html.markup import Html, foreign, join, tag
from aipower_exporters.html.plot import still_plot
from aipower_exporters.html.sections.section import section
from aipower_exporters.html.tables import Column, table
from aipower_exporters.html.wording import duration, number, watts

ROWS = 12
"""Lines of the table of figures: enough to see the course, few enough to be read aloud."""
KEYS = (
    "Drag over the chart to zoom, double click to see all. Keys: + and - zoom, ← and → move, "
    "Shift with them reads step by step, 0 shows all, Home and End go to the ends."
)


def power(record: RunRecord, labels: Mapping[str, Label]) -> Html | None:
    """None for a record without power over time."""
    if not drawable(record.power):
        return None
    figure = tag(
        "figure",
        _controls(record),
        tag("p", id="readout", aria_live="polite"),
        tag("div", id="chart", tabindex="0", role="group", aria_label="Power over time", aria_describedby="keys"),
        still_plot(record, labels),
        tag("p", KEYS, id="keys", class_="keys"),
        _legend(record, labels),
        tag("figcaption", *_caption(record)),
    )
    details = tag("details", tag("summary", "Power over time in figures"), _figures(record, labels))
    return section("power", "Power over time", figure, details)


def _controls(record: RunRecord) -> Html:
    """Only for the script, which fills them with life and shows them."""
    return tag(
        "div",
        _choice("layout", "Layout", (("lines", "Lines"), ("stacked", "Stacked"))),
        _choice("part", "Shown", (("device", "Whole device"), ("run", "This run"), ("both", "Both"))),
        _switch("intervals", "Intervals"),
        _switch("phases", "Phases", hidden=not any(phase.spans for phase in record.phases)),
        tag("span", *_zoom(), class_="zoom"),
        class_="controls",
    )


def _zoom() -> Iterable[Html]:
    yield tag("button", "\N{MINUS SIGN}", type="button", id="zoom-out", aria_label="Zoom out")
    yield tag("button", "+", type="button", id="zoom-in", aria_label="Zoom in")
    yield tag("button", "Reset zoom", type="button", id="reset")


def _choice(name: str, title: str, options: Iterable[tuple[str, str]]) -> Html:
    boxes = [
        tag("label", tag("input", type="radio", name=name, value=value), tag("span", text)) for value, text in options
    ]
    return tag("fieldset", tag("legend", title, class_="unseen"), *boxes, class_="choice")


def _switch(name: str, title: str, *, hidden: bool = False) -> Html:
    box = tag("input", type="checkbox", id=f"show-{name}")
    return tag("label", box, tag("span", title), class_="switch", hidden=hidden)


def _legend(record: RunRecord, labels: Mapping[str, Label]) -> Html:
    """A line for each device; the script makes its name a button and fills in the figures under the pointer."""
    peaks = {row.device: row.peak_w for row in record.devices}
    columns = [
        Column("device"),
        Column("mean", "figure"),
        Column("highest step", "figure"),
        Column("peak read", "figure"),
        Column("at pointer", "figure live"),
        Column("of it this run", "figure live"),
    ]
    rows = [_legend_row(series, labels[series.device], peaks.get(series.device)) for series in drawable(record.power)]
    return table("Devices in the chart", columns, rows, "legend")


def _legend_row(series: PowerSeries, label: Label, peak_w: float | None) -> list[Html | str]:
    known = [power_w for power_w in series.power_w if power_w is not None]
    highest_w = max(known, default=None)
    shown = [watts(mean(series.power_w)), watts(highest_w), watts(peak_w), "", ""]
    return [swatch(label), *shown]


def _caption(record: RunRecord) -> Iterable[str]:
    steps = sorted({series.step_s for series in drawable(record.power)})
    yield f"Mean power in steps of {' and '.join(duration(step_s) for step_s in steps)}. "
    yield "A device that is not known for a while is missing there, in a stack too. "
    yield "Whole device: whoever used it. This run: its own part. "
    yield "The pale band is the 95 % interval of the device's energy, relative to the power. "
    if any(phase.spans for phase in record.phases):
        yield "Named bands are the phases of the program, inner ones below outer ones."


def _figures(record: RunRecord, labels: Mapping[str, Label]) -> Html:
    return join(_course(series, labels, record.wall_s) for series in drawable(record.power))


def _course(series: PowerSeries, labels: Mapping[str, Label], wall_s: float) -> Html:
    """One device over time, the whole and the run's part side by side."""
    whole = binned(series, ROWS, wall_s)
    own = binned(PowerSeries(series.device, series.step_s, series.run_power_w, []), ROWS, wall_s)
    powers = [step.power_w for step in own] + [None] * (len(whole) - len(own))
    rows = [
        [f"{number(round(step.start_s, 3))} .. {number(round(step.end_s, 3))} s", watts(step.power_w), watts(own_w)]
        for step, own_w in zip(whole, powers, strict=False)
    ]
    name = named(labels, series.device)
    columns = [Column("time"), Column("whole device", "figure"), Column("this run", "figure")]
    return tag(
        "div", tag("h3", foreign(name)), table(f"Mean power of {name} over time", columns, rows), class_="course"
    )
