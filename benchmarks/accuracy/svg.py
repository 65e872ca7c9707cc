"""Charts of rows: a name on the left, marks along a shared axis on the right. Plain SVG, nothing to install."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

ROW, FONT, TICK, SHIFT = 17.0, 11, 5.0, 4.0
LEFT, WIDTH, RIGHT, TOP, BOTTOM = 300.0, 560.0, 30.0, 66.0, 34.0
MARK_R = 3.4
INK, FAINT, GRID = "#222222", "#777777", "#e4e4e4"


@dataclass(frozen=True, slots=True)
class Mark:
    """One value of a row, with a line from `low` to `high` through it."""

    value: float
    colour: str
    low: float | None = None
    high: float | None = None
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the chart."""

    name: str
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`; values beyond stand at its ends."""

    title: str
    low: float
    high: float
    ticks: Sequence[float]
    log: bool = False

    def x(self, value: float) -> float:
        """Where `value` stands."""
        low, high, value = (self._scaled(each) for each in (self.low, self.high, value))
        return LEFT + WIDTH * min(1.0, max(0.0, (value - low) / (high - low)))

    def _scaled(self, value: float) -> float:
        return math.log10(max(value, self.low)) if self.log else value


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn."""

    title: str
    axis: Axis
    rows: Sequence[Row]
    legend: Sequence[tuple[str, str, bool]] = ()
    """Words, colour and whether the mark is hollow."""
    bands: Sequence[tuple[float, float]] = ()
    lines: Sequence[float] = field(default=())


def draw(chart: Chart) -> str:
    """The chart as an SVG document."""
    legend, legend_height = _legend(chart)
    top = TOP + legend_height
    bottom = top + ROW * len(chart.rows)
    height, width = bottom + BOTTOM, LEFT + WIDTH + RIGHT
    shapes = [
        f'<rect width="{width:g}" height="{height:g}" fill="white"/>',
        _text(12, 22, chart.title, size=15, weight="bold"),
        *legend,
        *_ground(chart, top, bottom),
        *(shape for number, row in enumerate(chart.rows) for shape in _row(chart.axis, row, number, top)),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
    return f'{head} font-family="DejaVu Sans, Arial, sans-serif">\n' + "\n".join(shapes) + "\n</svg>\n"


def _legend(chart: Chart) -> tuple[list[str], float]:
    """The shapes, and by how much more than one line they are high."""
    shapes: list[str] = []
    x, y = 18.0, 42.0
    for words, colour, hollow in chart.legend:
        span = 28 + 6.3 * len(words)
        if x + span > LEFT + WIDTH + RIGHT:
            x, y = 18.0, y + ROW
        shapes += [_circle(x, y - 4, colour, hollow=hollow), _text(x + 9, y, words)]
        x += span
    return shapes, y - 42.0


def _ground(chart: Chart, top: float, bottom: float) -> list[str]:
    axis = chart.axis
    shapes = [
        f'<rect x="{axis.x(low):.1f}" y="{top:g}" width="{axis.x(high) - axis.x(low):.1f}" height="{bottom - top:g}"'
        ' fill="#d9f0d9"/>'
        for low, high in chart.bands
    ]
    for tick in axis.ticks:
        shapes.append(_line(axis.x(tick), top, axis.x(tick), bottom, GRID))
        shapes += [_text(axis.x(tick), y, f"{tick:g}", anchor="middle", colour=FAINT) for y in (top - 5, bottom + 14)]
    shapes += [_line(axis.x(value), top, axis.x(value), bottom, FAINT, dashed=True) for value in chart.lines]
    return [*shapes, _text(LEFT + WIDTH / 2, bottom + 29, axis.title, anchor="middle")]


def _row(axis: Axis, row: Row, number: int, top: float) -> list[str]:
    y = top + ROW * (number + 0.5)
    shapes = [_text(LEFT - 10, y + 4, row.name, anchor="end"), _line(LEFT, y, LEFT + WIDTH, y, "#f3f3f3")]
    for mark in row.marks:
        if mark.low is not None and mark.high is not None:
            shapes += _whisker(axis.x(mark.low), axis.x(mark.high), _height(mark, y), mark.colour)
    circles = [_circle(axis.x(each.value), _height(each, y), each.colour, hollow=each.hollow) for each in row.marks]
    return [*shapes, *circles]


def _height(mark: Mark, y: float) -> float:
    """Hollow marks stand a little higher, so that equal values do not hide each other."""
    return y - SHIFT if mark.hollow else y


def _whisker(low_x: float, high_x: float, y: float, colour: str) -> list[str]:
    caps = [_line(x, y - TICK / 2, x, y + TICK / 2, colour) for x in (low_x, high_x)]
    return [_line(low_x, y, high_x, y, colour), *caps]


def _circle(x: float, y: float, colour: str, *, hollow: bool) -> str:
    fill = "white" if hollow else colour
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{MARK_R}" fill="{fill}" stroke="{colour}" stroke-width="1.3"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashes}/>'


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = FONT,
    anchor: str = "start",
    colour: str = INK,
    weight: str = "normal",
) -> str:
    style = f'font-size="{size}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'
