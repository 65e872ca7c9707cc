"""What a dashboard is made of, before it is JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

Json = Mapping[str, object]
"""A JSON object."""

PanelType = Literal["stat", "timeseries", "table", "bargauge", "piechart", "state-timeline"]
Shape = Literal["range", "instant", "table"]
"""Values over the time range; the last ones; or the last ones as the rows of a table."""

COLUMNS = 24
"""Grafana's grid is this wide."""


class Query(Struct, frozen=True):
    """One question in PromQL."""

    expr: str
    legend: str = ""
    """Name of a series; `{{label}}` stands for a label."""
    shape: Shape = "range"


def now(expr: str, legend: str = "") -> Query:
    """The last values only."""
    return Query(expr, legend, "instant")


class Panel(Struct, frozen=True):
    """One picture and what it says."""

    title: str
    description: str
    """For a person who asks what the picture shows."""
    type: PanelType
    unit: str
    """Grafana's name of a unit, as in `watt`, `joule`, `kwatth`."""
    queries: tuple[Query, ...]
    width: int = 12
    """In columns of the grid."""
    height: int = 8
    """In rows of the grid, of 30 pixels each."""
    options: Json = field(default_factory=dict)
    custom: Json = field(default_factory=dict)
    """How fields are drawn by this type of panel."""
    defaults: Json = field(default_factory=dict)
    """What holds for all fields beside their unit: decimals, thresholds, mappings, colours."""
    overrides: tuple[Json, ...] = ()
    transformations: tuple[Json, ...] = ()
    time_from: str = ""
    """A time range of its own, as in `now/d` or `14d`."""
    min_step: str = ""
    """The finest step of its queries, as in `1d`."""
    needs: str = ""
    """What must be there beside aipower; without it the panel is empty."""

    def sized(self, width: int, height: int) -> Panel:
        """The panel in another size."""
        return replace(self, width=width, height=height)

    def stepped(self, min_step: str) -> Panel:
        """The panel with a finest step for its queries."""
        return replace(self, min_step=min_step)

    def needing(self, needs: str) -> Panel:
        """The panel with what must be there beside aipower."""
        return replace(self, needs=needs)

    def ranged(self, time_from: str) -> Panel:
        """The panel with a time range of its own."""
        return replace(self, time_from=time_from)


class Row(Struct, frozen=True):
    """Panels under one headline."""

    title: str
    panels: tuple[Panel, ...]
    folded: bool = False
    """Closed at first: what not every site has."""


class Variable(Struct, frozen=True):
    """What a person chooses at the top of a dashboard."""

    name: str
    label: str
    description: str
    type: Literal["datasource", "query", "textbox"]
    query: str
    """The query; the type of data source; the value that a text box begins with."""
    regex: str = ""
    multi: bool = False
    """Several or all may be chosen."""
    hidden: bool = False
    """Not shown, and always all of its values, listed: it only narrows queries."""
    sort: int = 1
    """1: by name. 4: by number, the highest first."""


class Annotation(Struct, frozen=True):
    """Marks in all pictures over time."""

    name: str
    expr: str
    title: str
    text: str
    color: str
    value_is_time: bool = False
    """The value is the time of the mark in milliseconds; otherwise a mark stands wherever the value is above 0."""


class Dashboard(Struct, frozen=True):
    """One page."""

    uid: str
    """Stable: links and bookmarks name it."""
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    annotations: tuple[Annotation, ...] = ()
    time_from: str = "now-24h"
    tags: tuple[str, ...] = ("aipower",)
    """All dashboards with the tag `aipower` link to each other."""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels of all rows."""
        return tuple(panel for row in self.rows for panel in row.panels)
