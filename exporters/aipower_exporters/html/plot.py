"""Power over time as a still picture: for print, and for readers without scripts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from aipower.runrecord import PhaseRecord, RunRecord
from aipower_exporters.html.binning import Step, binned, drawable
from aipower_exporters.html.labels import Label
from aipower_exporters.html.markup import Html, clean, tag
from aipower_exporters.html.wording import number

WIDTH, HEIGHT = 960, 300
LEFT, RIGHT, BOTTOM, TOP = 56, 8, 28, 8
LANE, MOST_LANES = 18, 4
"""Height of a line of phases, and how many depths are shown."""
POINTS = 240
SPANS = 400
"""More bands of phases than this are no longer apart on paper."""
LETTER = 6.5
"""Width of a letter in the plot's type, for what fits into a band."""
TICKS_X, TICKS_Y = 8, 4
UNITS = ((3 * 3600.0, 3600.0, "h"), (5 * 60.0, 60.0, "min"), (0.0, 1.0, "s"))
"""From how many seconds on a unit of time is used, and its length; the live chart has the same."""
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


class Frame(Struct, frozen=True):
    """Where seconds and watts are on the picture."""

    until_s: float
    top_w: float
    lanes: int

    def x(self, time_s: float) -> float:
        """From the left, in the picture's units."""
        part = min(1.0, max(0.0, time_s / self.until_s))
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, power_w: float) -> float:
        """From the top."""
        part = min(1.0, max(0.0, power_w / self.top_w))
        return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - self.plot_top)

    @property
    def plot_top(self) -> float:
        """Below the lanes of the phases."""
        return TOP + self.lanes * LANE


def still_plot(record: RunRecord, labels: Mapping[str, Label]) -> Html:
    """An SVG with a line for each device and the phases above."""
    lines = {series.device: binned(series, POINTS, record.wall_s) for series in drawable(record.power)}
    frame = _frame(record, lines)
    shapes = [*_phases(record.phases, frame), *_axes(frame)]
    shapes += [line for device, steps in lines.items() for line in _line(steps, labels[device], frame)]
    title = f"Power over time of {len(lines)} devices; the figures are in the table below"
    return tag("svg", *shapes, class_="still", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title)


def ticks(end: float, most: int) -> list[float]:
    """Round numbers from 0 to `end`, about `most` of them."""
    if not 0 < end < math.inf:
        return [0.0]
    rough = end / most
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * decade for factor in ROUND if factor * decade >= rough), 10 * decade)
    return [index * step for index in range(int(end / step + 1e-9) + 1)]


def _frame(record: RunRecord, lines: Mapping[str, Sequence[Step]]) -> Frame:
    steps = [step for line in lines.values() for step in line]
    top_w = max((step.power_w for step in steps if step.power_w is not None), default=0.0)
    until_s = max([record.wall_s, *(step.end_s for step in steps)])
    depth = max((len(phase.path) for phase in record.phases), default=0)
    return Frame(until_s if until_s > 0 else 1.0, 1.08 * top_w if top_w > 0 else 1.0, min(depth, MOST_LANES))


def _axes(frame: Frame) -> Iterable[Html]:
    for power_w in ticks(frame.top_w, TICKS_Y):
        y = frame.y(power_w)
        yield tag("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
        yield tag("text", f"{number(power_w)} W", x=LEFT - 8, y=y + 4, text_anchor="end")
    length_s, unit = next((length_s, unit) for from_s, length_s, unit in UNITS if frame.until_s >= from_s)
    for time in ticks(frame.until_s / length_s, TICKS_X):
        yield tag("text", f"{number(time)} {unit}", x=frame.x(time * length_s), y=HEIGHT - 8, text_anchor="middle")


def _line(steps: Sequence[Step], label: Label, frame: Frame) -> Iterable[Html]:
    """A staircase, broken where the power is not known."""
    points: list[str] = []
    for step in [*steps, Step(0.0, 0.0, None)]:
        if step.power_w is not None:
            y = frame.y(step.power_w)
            points += [f"{frame.x(step.start_s):.1f},{y:.1f}", f"{frame.x(step.end_s):.1f},{y:.1f}"]
        elif points:
            style = f"line hue-{label.hue} dash-{min(label.dash, 3)}"
            yield tag("polyline", class_=style, points=" ".join(points))
            points = []


def _phases(phases: Sequence[PhaseRecord], frame: Frame) -> Iterable[Html]:
    left = SPANS
    for order, phase in enumerate(phases):
        depth = len(phase.path)
        if not 0 < depth <= MOST_LANES:
            continue
        for start_s, end_s in phase.spans[:left]:
            yield from _band(phase.path[-1], order, depth, (frame.x(start_s), frame.x(end_s)), frame)
        left -= min(left, len(phase.spans))


def _band(name: str, order: int, depth: int, ends: tuple[float, float], frame: Frame) -> Iterable[Html]:
    left, right = ends
    y, width = TOP + (depth - 1) * LANE, max(0.5, right - left)
    if depth == 1:
        height = HEIGHT - BOTTOM - frame.plot_top
        yield tag("rect", class_=f"shade phase-{order % 6}", x=left, y=frame.plot_top, width=width, height=height)
    yield tag("rect", class_=f"band phase-{order % 6}", x=left, y=y, width=width, height=LANE - 2)
    letters = int((width - 6) / LETTER)
    shown = clean(name) if len(name) <= letters else clean(name)[: letters - 1] + "…"
    if letters > 1:
        yield tag("text", shown, x=left + 4, y=y + 12)
