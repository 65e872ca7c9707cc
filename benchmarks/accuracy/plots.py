"""Scores as pictures: errors beside those of naive methods, coverage, and how wide the intervals are."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.accuracy.estimates import METHOD
from benchmarks.accuracy.score import Coverage, Score
from benchmarks.accuracy.svg import Axis, Chart, Mark, Row, draw

OWN = "#d62728"
NAIVE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#8c564b", "#17becf", "#bcbd22", "#e377c2", "#7f7f7f", "#3f3f8f")
FULL, HIDDEN = "#1f4e9c", "#d97706"
GOOD_PERCENT = (93.0, 97.0)
LEAST_PERCENT = 40.0
"""Coverage below stands at the edge of the picture."""
ERRORS = Axis("error in percent of the truth (dot: mean, line: to the 95th percentile)", 1e-4, 1e3,
              [10.0**power for power in range(-4, 4)], log=True)  # fmt: skip
SHARES = Axis("share of the 95 % intervals that hold the truth, in percent", LEAST_PERCENT, 100, range(40, 101, 10))
RATIOS = Axis("half-width of the interval over that of the best one possible", 0.05, 50,
              (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50), log=True)  # fmt: skip


def write_plots(directory: Path, rows: Sequence[Score]) -> Sequence[Path]:
    """The files drawn: `error-FAMILY.svg`, and `coverage-` and `width-` of devices and of the rest.

    Raises:
        OSError: The directory cannot be written to.
    """
    directory.mkdir(parents=True, exist_ok=True)
    devices = [row for row in rows if _family(row) == "device"]
    others = [row for row in rows if _family(row) != "device"]
    charts = dict(error_charts(rows))
    for name, own in (("device", devices), ("others", others)):
        charts |= {f"coverage-{name}": coverage_chart(own), f"width-{name}": width_chart(own)}
    drawn = {directory / f"{name}.svg": chart for name, chart in charts.items() if chart.rows}
    for path, chart in drawn.items():
        path.write_text(draw(chart), encoding="utf-8")
    return list(drawn)


def error_charts(rows: Sequence[Score]) -> Iterator[tuple[str, Chart]]:
    """A chart per family of scenarios, by file name: all methods on each subject, each always in one colour."""
    methods = sorted({row.method for row in rows} - {METHOD})
    colours = {METHOD: OWN, **dict(zip(methods, itertools.cycle(NAIVE), strict=False))}
    for family, members in itertools.groupby(rows, key=_family):
        own = list(members)
        subjects = dict.fromkeys(_name(row) for row in own)
        drawn = [Row(name, _errors([row for row in own if _name(row) == name], colours)) for name in subjects]
        shown = {row.method for row in own}
        legend = [(method, colour, False) for method, colour in colours.items() if method in shown]
        yield f"error-{family}", Chart(f"Errors: {family}", ERRORS, drawn, legend)


def coverage_chart(rows: Sequence[Score]) -> Chart:
    """All intervals that aipower states, with the binomial error of their coverage."""
    drawn = []
    for row in _stated(rows):
        pairs = ((row.coverage_of_all, HIDDEN, True), (row.coverage, FULL, False))
        marks = [_share(coverage, colour, hollow=hollow) for coverage, colour, hollow in pairs if coverage]
        drawn.append(Row(_name(row), marks))
    legend = [("without the sensor's scale", FULL, False), ("with it", HIDDEN, True)]
    return Chart("Coverage of the stated 95 % intervals", SHARES, drawn, legend, [GOOD_PERCENT])


def width_chart(rows: Sequence[Score]) -> Chart:
    """How wide the intervals are for the errors that there are: 1 is ideal, beyond 2 too careful."""
    ratios = [(_name(row), row.width_ratio) for row in _stated(rows) if row.coverage and row.width_ratio]
    drawn = [Row(name, [Mark(ratio, FULL)]) for name, ratio in ratios]
    return Chart("Width of the intervals", RATIOS, drawn, [("without the sensor's scale", FULL, False)], lines=(1, 2))


def _errors(rows: Sequence[Score], colours: Mapping[str, str]) -> Sequence[Mark]:
    """The product last, on top."""
    ordered = sorted(rows, key=lambda row: row.method == METHOD)
    return [Mark(row.mean_percent, colours[row.method], row.mean_percent, row.p95_percent) for row in ordered]


def _family(row: Score) -> str:
    return row.scenario.split("/")[0]


def _name(row: Score) -> str:
    return f"{row.scenario} · {row.subject}"


def _stated(rows: Iterable[Score]) -> list[Score]:
    return [row for row in rows if row.method == METHOD and row.stated is not None]


def _share(coverage: Coverage, colour: str, *, hollow: bool) -> Mark:
    share, error = 100 * coverage.share, 100 * coverage.error
    return Mark(share, colour, max(LEAST_PERCENT, share - error), min(100.0, share + error), hollow)
