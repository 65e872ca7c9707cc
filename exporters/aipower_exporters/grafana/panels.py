"""The kinds of panels that the dashboards use, each with its looks."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from aipower_exporters.grafana.model import Json, Panel, Query

COMPONENTS = "idle: bare devices. context: held open by processes. active: work. unattributed: of unknown processes."
SERIES_CALCS = ("mean", "max", "lastNotNull")
SUM_CALCS = ("sum", "max")
PALETTE: Json = {"mode": "palette-classic"}
BY_THRESHOLD: Json = {"mode": "thresholds"}


class Steps(Struct, frozen=True):
    """Colours by value: green, from `warn` on yellow, from `alarm` on red."""

    warn: float | None = None
    alarm: float | None = None
    base: str = "green"


PLAIN = Steps(base="blue")


def thresholds(steps: Steps) -> Json:
    """Grafana's thresholds."""
    marks: list[Json] = [{"color": steps.base, "value": None}]
    for color, value in (("yellow", steps.warn), ("red", steps.alarm)):
        if value is not None:
            marks.append({"color": color, "value": value})
    return {"mode": "absolute", "steps": marks}


def stat(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    steps: Steps = PLAIN,
    decimals: int | None = None,
    width: int = 4,
    height: int = 4,
) -> Panel:
    """Large numbers: the last value of each query."""
    return Panel(
        title, description, "stat", unit, queries, width, height,
        options={
            "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto",
            "reduceOptions": reduced(), "textMode": "auto",
        },
        defaults=_field(steps, decimals),
    )  # fmt: skip


def series(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    stacked: bool = False,
    steps: Steps | None = None,
    calcs: Sequence[str] = SERIES_CALCS,
    overrides: tuple[Json, ...] = (),
) -> Panel:
    """Lines over time, with a table of their names beside them."""
    return Panel(
        title, description, "timeseries", unit, queries,
        options={"legend": _legend(calcs), "tooltip": {"mode": "multi", "sort": "desc"}},
        custom={
            "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 40 if stacked else 5,
            "showPoints": "never", "spanNulls": False, "stacking": _stacking(stacked),
            "thresholdsStyle": {"mode": "off" if steps is None else "dashed"}, "axisSoftMin": 0,
        },
        defaults={**_field(steps or PLAIN, None), "color": PALETTE, "min": 0},
        overrides=overrides,
    )  # fmt: skip


def bars(title: str, description: str, unit: str, *queries: Query) -> Panel:
    """Stacked bars over time, with sums in the table beside them."""
    return Panel(
        title, description, "timeseries", unit, queries,
        options={"legend": _legend(SUM_CALCS), "tooltip": {"mode": "multi", "sort": "desc"}},
        custom={
            "drawStyle": "bars", "lineWidth": 0, "fillOpacity": 80, "barAlignment": 0, "showPoints": "never",
            "spanNulls": False, "stacking": _stacking(stacked=True), "thresholdsStyle": {"mode": "off"},
        },
        defaults={**_field(PLAIN, None), "color": PALETTE, "min": 0},
    )  # fmt: skip


def days(title: str, description: str, unit: str, *queries: Query) -> Panel:
    """Bars of whole days, whatever time range is chosen: the last 14."""
    return bars(title, description, unit, *queries).stepped("1d").ranged("14d")


def ranking(title: str, description: str, unit: str, query: Query) -> Panel:
    """Horizontal bars, one for each series."""
    return Panel(
        title, description, "bargauge", unit, (query,), 8,
        options={
            "displayMode": "gradient", "orientation": "horizontal", "showUnfilled": True, "valueMode": "color",
            "minVizHeight": 10, "minVizWidth": 0, "reduceOptions": reduced(),
        },
        defaults={**_field(PLAIN, None), "min": 0},
    )  # fmt: skip


def pie(title: str, description: str, unit: str, query: Query) -> Panel:
    """Shares of a whole."""
    return Panel(
        title, description, "piechart", unit, (query,), 8,
        options={
            "pieType": "donut", "displayLabels": ["percent"], "reduceOptions": reduced(),
            "legend": {
                "displayMode": "table", "placement": "right", "showLegend": True, "values": ["value", "percent"],
            },
            "tooltip": {"mode": "single", "sort": "none"},
        },
        defaults={**_field(PLAIN, None), "color": PALETTE},
    )  # fmt: skip


def states(title: str, description: str, *queries: Query) -> Panel:
    """One band for each series: 1 is up, 0 is down."""
    words: Json = {
        "1": {"text": "up", "color": "green", "index": 0},
        "0": {"text": "down", "color": "red", "index": 1},
    }
    return Panel(
        title, description, "state-timeline", "none", queries,
        options={
            "alignValue": "left", "mergeValues": True, "rowHeight": 0.8, "showValue": "never",
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
            "tooltip": {"mode": "single", "sort": "none"},
        },
        custom={"fillOpacity": 70, "lineWidth": 0},
        defaults={**_field(PLAIN, None), "mappings": [{"type": "value", "options": words}]},
    )  # fmt: skip


def dashed(pattern: str) -> Json:
    """Series whose names match: a dashed red line that is not part of the stack."""
    return {
        "matcher": {"id": "byRegexp", "options": pattern},
        "properties": [
            {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}},
            {"id": "custom.fillOpacity", "value": 0},
            {"id": "custom.stacking", "value": {"mode": "none", "group": "limits"}},
            {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}},
        ],
    }


def reduced() -> Json:
    """One value for each series: its last."""
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def _field(steps: Steps, decimals: int | None) -> dict[str, object]:
    shown: dict[str, object] = {"color": BY_THRESHOLD, "mappings": [], "thresholds": thresholds(steps)}
    if decimals is not None:
        shown["decimals"] = decimals
    return shown


def _legend(calcs: Sequence[str]) -> Json:
    return {
        "displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": list(calcs),
        "sortBy": "Total" if "sum" in calcs else "Mean", "sortDesc": True,
    }  # fmt: skip


def _stacking(stacked: bool) -> Json:  # noqa: FBT001  # the name of its one argument says it
    return {"mode": "normal" if stacked else "none", "group": "A"}
