"""A chart of measured points and the line through them. Plain SVG, nothing to install."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 560.0, 360.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 20.0, 44.0, 52.0
INK, FAINT, GRID, DOT = "#222222", "#777777", "#e4e4e4", "#1f6f8b"
TICKS = 5


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: both axes begin at 0."""

    title: str
    x_title: str
    y_title: str
    points: Sequence[tuple[float, float]]
    line: Sequence[tuple[float, float]] = ()


def draw(chart: Chart) -> str:
    """The chart as an SVG document."""
    everything = [*chart.points, *chart.line]
    place = _Place(_rounded_up(max(x for x, _ in everything)), _rounded_up(max(y for _, y in everything)))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}" height="{HEIGHT:g}"'
    shapes = [
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="white"/>',
        *_grid(place),
        *_titles(chart),
        _path([place.at(x, y) for x, y in chart.line]),
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{DOT}"/>' for x, y in map(place.of, chart.points)),
    ]
    return f'{head} font-family="DejaVu Sans, Arial, sans-serif">\n' + "\n".join(filter(None, shapes)) + "\n</svg>\n"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where values stand."""

    x_most: float
    y_most: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + width * x / self.x_most, TOP + height * (1 - y / self.y_most)

    def of(self, point: tuple[float, float]) -> tuple[float, float]:
        return self.at(*point)


def _rounded_up(most: float) -> float:
    """The least 1, 2, 2.5 or 5 times a power of ten, over `TICKS` steps, that holds `most`."""
    step: float = 10.0 ** math.floor(math.log10(most / TICKS))
    return TICKS * next(step * factor for factor in (1, 2, 2.5, 5, 10) if TICKS * step * factor >= most)


def _grid(place: _Place) -> Iterator[str]:
    for number in range(TICKS + 1):
        x_value, y_value = place.x_most * number / TICKS, place.y_most * number / TICKS
        x, y = place.at(x_value, y_value)
        yield _line(x, TOP, x, HEIGHT - BOTTOM)
        yield _line(LEFT, y, WIDTH - RIGHT, y)
        yield _text(x, HEIGHT - BOTTOM + 16, f"{x_value:g}", "middle", FAINT)
        yield _text(LEFT - 8, y + 4, f"{y_value:g}", "end", FAINT)


def _titles(chart: Chart) -> Iterator[str]:
    yield _text(12, 20, chart.title, "start", INK, size=14)
    yield _text(LEFT, TOP - 8, chart.y_title, "start", INK)
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, chart.x_title, "middle", INK)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GRID}"/>'


def _path(points: Sequence[tuple[float, float]]) -> str:
    if not points:
        return ""
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" stroke="{FAINT}"/>'


def _text(x: float, y: float, words: str, anchor: str, colour: str, size: int = 11) -> str:
    style = f'font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'
