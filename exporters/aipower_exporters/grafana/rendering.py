"""Dashboards as the JSON that Grafana 10, 11 and 12 read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from string import ascii_uppercase

from aipower_exporters.grafana.model import COLUMNS, Annotation, Dashboard, Json, Panel, Query, Row, Variable

SCHEMA_VERSION = 39
"""Of Grafana 10.3 to 11: newer ones convert it as they load it, older ones take it as it is."""
PLUGIN_VERSION = "10.4.0"
"""Whose options the panels have."""
PROMETHEUS: Json = {"type": "prometheus", "uid": "${datasource}"}
BUILT_IN: Json = {"type": "grafana", "uid": "-- Grafana --"}
ALL: Json = {"selected": True, "text": ["All"], "value": ["$__all"]}
HEADLINE_HEIGHT = 1
RELOAD_ON_TIME_RANGE = 2
HIDE_ALL = 2


def text(dashboard: Dashboard) -> str:
    """The file of a dashboard."""
    return json.dumps(rendered(dashboard), indent=2, ensure_ascii=False) + "\n"


def rendered(dashboard: Dashboard) -> Json:
    """The JSON of a dashboard."""
    return {
        "annotations": {"list": [_built_in(), *map(_annotation, dashboard.annotations)]},
        "description": dashboard.description,
        "editable": True,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "id": None,
        "links": [_others()],
        "panels": list(_panels(dashboard.rows)),
        "refresh": "1m",
        "schemaVersion": SCHEMA_VERSION,
        "tags": list(dashboard.tags),
        "templating": {"list": [_variable(variable) for variable in dashboard.variables]},
        "time": {"from": dashboard.time_from, "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "title": dashboard.title,
        "uid": dashboard.uid,
        "version": 1,
        "weekStart": "",
    }


def _others() -> Json:
    return {
        "asDropdown": False, "icon": "external link", "includeVars": True, "keepTime": True, "tags": ["aipower"],
        "targetBlank": False, "title": "aipower", "tooltip": "", "type": "dashboards", "url": "",
    }  # fmt: skip


def _panels(rows: tuple[Row, ...]) -> Iterator[Json]:
    """Headlines and panels from top to bottom; a folded row holds its panels itself and takes no room."""
    number, y = 1, 0
    for row in rows:
        placed = list(_placed(row.panels, number + 1, y + HEADLINE_HEIGHT))
        yield _headline(row, number, y, placed if row.folded else [])
        number, y = number + 1 + len(placed), y + HEADLINE_HEIGHT
        if not row.folded:
            yield from placed
            y += _height(row.panels)


def _placed(panels: tuple[Panel, ...], number: int, top: int) -> Iterator[Json]:
    for place, (panel, (x, y)) in enumerate(zip(panels, _places(panels), strict=True)):
        yield _panel(panel, number + place, x, top + y)


def _places(panels: tuple[Panel, ...]) -> Iterator[tuple[int, int]]:
    """From left to right, each line of panels below the highest of the line before."""
    x = y = height = 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, height = 0, y + height, 0
        yield x, y
        x, height = x + panel.width, max(height, panel.height)


def _height(panels: tuple[Panel, ...]) -> int:
    return max(y + panel.height for panel, (_, y) in zip(panels, _places(panels), strict=True))


def _headline(row: Row, number: int, y: int, inside: list[Json]) -> Json:
    return {
        "collapsed": row.folded,
        "gridPos": {"h": HEADLINE_HEIGHT, "w": COLUMNS, "x": 0, "y": y},
        "id": number,
        "panels": inside,
        "title": row.title,
        "type": "row",
    }


def _panel(panel: Panel, number: int, x: int, y: int) -> Json:
    defaults = {**panel.defaults, "custom": panel.custom, "unit": panel.unit}
    shown: dict[str, object] = {
        "datasource": PROMETHEUS,
        "description": _description(panel),
        "fieldConfig": {"defaults": defaults, "overrides": list(panel.overrides)},
        "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y},
        "id": number,
        "options": panel.options,
        "pluginVersion": PLUGIN_VERSION,
        "targets": [_target(query, letter) for query, letter in zip(panel.queries, ascii_uppercase, strict=False)],
        "title": panel.title,
        "type": panel.type,
    }
    if panel.transformations:
        shown["transformations"] = list(panel.transformations)
    if panel.time_from:
        shown["timeFrom"] = panel.time_from
    if panel.min_step:
        shown["interval"] = panel.min_step
    return shown


def _description(panel: Panel) -> str:
    return f"{panel.description} Empty without {panel.needs}." if panel.needs else panel.description


def _target(query: Query, letter: str) -> Json:
    over_time = query.shape == "range"
    return {
        "datasource": PROMETHEUS,
        "editorMode": "code",
        "expr": query.expr,
        "format": "table" if query.shape == "table" else "time_series",
        "instant": not over_time,
        "legendFormat": query.legend or "__auto",
        "range": over_time,
        "refId": letter,
    }


def _variable(variable: Variable) -> Json:
    common: dict[str, object] = {
        "description": variable.description,
        "hide": HIDE_ALL if variable.hidden else 0,
        "label": variable.label,
        "name": variable.name,
        "skipUrlSync": False,
        "type": variable.type,
    }
    if variable.type == "textbox":
        chosen = {"selected": True, "text": variable.query, "value": variable.query}
        return {**common, "current": chosen, "options": [chosen], "query": variable.query}
    common |= {"includeAll": variable.multi, "multi": variable.multi, "options": []}
    if variable.type == "datasource":
        return {**common, "query": variable.query, "refresh": 1, "regex": ""}
    return {**common, **_asked(variable)}


def _asked(variable: Variable) -> Json:
    asked: dict[str, object] = {
        "datasource": PROMETHEUS,
        "query": {"query": variable.query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": RELOAD_ON_TIME_RANGE,
        "regex": variable.regex,
        "sort": variable.sort,
    }
    if not variable.multi:
        return asked
    # `.*` also matches series without the label, which a list of its values would not.
    return asked | {"current": ALL} | ({} if variable.hidden else {"allValue": ".*"})


def _built_in() -> Json:
    return {
        "builtIn": 1, "datasource": BUILT_IN, "enable": True, "hide": True, "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts", "type": "dashboard",
    }  # fmt: skip


def _annotation(annotation: Annotation) -> Json:
    return {
        "datasource": PROMETHEUS,
        "enable": True,
        "expr": annotation.expr,
        "hide": False,
        "iconColor": annotation.color,
        "name": annotation.name,
        "tagKeys": "",
        "textFormat": annotation.text,
        "titleFormat": annotation.title,
        "useValueForTime": annotation.value_is_time,
    }
