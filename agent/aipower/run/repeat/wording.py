"""The lines that a person reads while a series runs and after it; pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aipower.record.report import KINDS, LABEL_WIDTH
from aipower.record.wording import MINUTE_S, MOST_FINE_PERCENT, bracket, clean, duration, joules, plus_minus, short
from aipower.run.repeat.figures import Figure
from aipower.run.repeat.play import Play
from aipower.run.repeat.summary import SeriesSummary
from aipower.runrecord import Interval, RunRecord

SHOWN_RUNS = 20
SHOWN_INDICES = 8
BAR_WIDTH = 24
FINE = 4
"""Significant digits of figures that are no joules and no seconds."""


def run_line(play: Play, place: str, figure: Figure | None, left_s: float | None) -> str:
    """`[3/10] 811.2 J  12.31 s  mean 812.3 J ±1.2 %  45 s left`: shown when a run has ended."""
    parts = [f"[{place}] {energy_words(play.record)}  {duration(play.record.wall_s)}"]
    if play.exit_code:
        parts.append(f"exit {play.exit_code}")
    return "  ".join((*parts, *_outlook(figure, left_s)))


def bar_line(place: str, done: float, figure: Figure | None, left_s: float | None, width: int, blocks: str) -> str:
    """`[3/10] ━━━━────────  mean 812.3 J ±1.2 %  about 45 s left`, of at most `width` characters.

    `done` is how much of the series is over, from 0 to 1; `blocks` what the bar is drawn with: full, and empty.
    """
    full = round(BAR_WIDTH * min(1.0, max(0.0, done)))
    bar = blocks[0] * full + blocks[1] * (BAR_WIDTH - full)
    return "  ".join((f"[{place}] {bar}", *_outlook(figure, left_s)))[:width]


def _outlook(figure: Figure | None, left_s: float | None) -> Iterable[str]:
    if estimate := estimate_words(figure):
        yield estimate
    if left_s:
        yield f"about {duration(left_s) if left_s >= MINUTE_S else f'{left_s:.0f} s'} left"


def energy_words(record: RunRecord) -> str:
    """The run's total."""
    energy_j = record.energy_j.total
    return "energy not measured" if energy_j is None else joules(energy_j)


def estimate_words(figure: Figure | None) -> str:
    """`mean 812.3 J ±1.2 %`: of the repetitions so far; empty for fewer than two."""
    if figure is None or figure.interval is None:
        return ""
    return f"mean {joules(figure.mean)} {plus_minus(figure.mean, figure.interval)}".rstrip()


def render(summary: SeriesSummary, plays: Sequence[Play]) -> str:
    """The report of a series, ending with a newline."""
    lines = [
        _headline(summary),
        *_runs(plays),
        *_energies(summary),
        *_amounts(summary),
        *_doubts(summary),
        *(_row("note", note) for note in summary.notes),
        *_next(summary),
    ]
    return "\n".join(lines) + "\n"


def _headline(summary: SeriesSummary) -> str:
    name = f" [{short(summary.name, 40)}]" if summary.name else ""
    simulated = "  SIMULATED SENSORS: no measurement" if summary.simulated else ""
    done = len(summary.records)
    runs = f"{done} repetitions" if done == summary.repetitions else f"{done} of {summary.repetitions} repetitions"
    warmup = f" after {summary.warmup} warm-up{'s' if summary.warmup > 1 else ''}" if summary.warmup else ""
    return f"aipower: {short(' '.join(summary.command), 60)}{name}  {runs}{warmup}{simulated}"


def _runs(plays: Sequence[Play]) -> Iterable[str]:
    counted = [play for play in plays if play.index]
    for play in counted[:SHOWN_RUNS]:
        warm = "  started warm" if play.warm else ""
        figures = f"{energy_words(play.record):>9}  {duration(play.record.wall_s):>8}"
        yield _row(str(play.index), f"{figures}  exit {play.exit_code}{warm}")
    if len(counted) > SHOWN_RUNS:
        yield _row("", f"and {len(counted) - SHOWN_RUNS} more in the --json file")


def _energies(summary: SeriesSummary) -> Iterable[str]:
    total = summary.energy.get("total")
    if total is None:
        yield _row("mean", "no energy was measured" if summary.wall_s else "no repetition has succeeded")
        return
    yield _row("mean", _mean_words(total))
    if total.deviation is not None:
        percent = f" ({_percent(total.deviation / total.mean)})" if total.mean > 0 else ""
        spread = (
            f"standard deviation {joules(total.deviation)}{percent}, {joules(total.least)} .. {joules(total.most)}"
        )
        yield _row("spread", spread)
    for kind, label in KINDS.items():
        if (figure := summary.energy.get(kind)) is not None and len(summary.energy) > 2:  # noqa: PLR2004 - total and it
            yield _row(label, f"{joules(figure.mean)}  {bracket(figure.interval)}")
    yield _row(
        "absolute", f"{bracket(summary.interval_j.total)}  with the sensors' scale, which repeats: no spread shows it"
    )


def _mean_words(figure: Figure) -> str:
    if figure.interval is None:
        return f"{joules(figure.mean)}  of 1: one repetition shows no spread"
    own = plus_minus(figure.mean, figure.interval)
    interval = bracket(_above_zero(figure.interval))
    return f"{joules(figure.mean)}  {interval}  {own} of {figure.count} by their spread, 95 %"


def _amounts(summary: SeriesSummary) -> Iterable[str]:
    wall_s = summary.wall_s
    if wall_s is not None:
        yield _row("wall", f"{duration(wall_s.mean)}{_range(wall_s, duration)}")
    for unit, figure in summary.per.items():
        yield _row("per unit", f"{_fine(figure.mean)} J/{clean(unit)}{_range(figure, _fine)}")
    for name, figure in summary.metrics.items():
        yield _row("metric", f"{clean(name)} {_fine(figure.mean)}{_range(figure, _fine)}")


def _doubts(summary: SeriesSummary) -> Iterable[str]:
    if summary.first_excess is not None:
        more = f"repetition 1 took {_percent(summary.first_excess)} more than the others"
        yield _row("warning", f"{more}: --warmup 1 leaves such a one out")
    odd = [index for index in summary.outliers if index != 1 or summary.first_excess is None]
    if odd:
        yield _row(
            "warning",
            f"{_indices(odd)} stands out: did something else run meanwhile?"
            if len(odd) == 1
            else f"{_indices(odd)} stand out: did something else run meanwhile?",
        )
    if summary.drift is not None:
        how = "risen" if summary.drift > 0 else "fallen"
        yield _row(
            "warning",
            f"the energy has {how} by {_percent(abs(summary.drift))} over the series: warm up or cool longer",
        )
    if summary.left_out:
        yield _row(
            "note", f"{_indices(summary.left_out)}: not all of the energy is known, so not in the means of energy"
        )
    if summary.failed:
        yield _row("note", f"{_indices([one.index for one in summary.failed])} failed: in no mean")
    if warm := sorted({start.index for start in summary.started_warm}):
        yield _row("note", f"{_indices(warm)} started warm: {_warm_words(summary)}")


def _warm_words(summary: SeriesSummary) -> str:
    worst = max(summary.started_warm, key=lambda start: start.power_w - start.idle_w)
    return f"{clean(worst.device)} drew {worst.power_w:.0f} W, {worst.idle_w:.0f} W before the series"


def _next(summary: SeriesSummary) -> Iterable[str]:
    if summary.mean_of:
        yield _row("next", f"aipower compare {summary.id} OTHER   does another series use less?")
    if summary.records:
        yield _row("next" if not summary.mean_of else "", f"aipower runs --series {summary.id}   its runs one by one")


def _indices(indices: Sequence[int]) -> str:
    shown = ", ".join(map(str, indices[:SHOWN_INDICES]))
    more = f" and {len(indices) - SHOWN_INDICES} more" if len(indices) > SHOWN_INDICES else ""
    return f"repetition{'s' if len(indices) > 1 else ''} {shown}{more}"


def _percent(part: float) -> str:
    """`0.72 %`, or `43 %`."""
    percent = 100 * part
    return f"{percent:.2g} %" if percent < MOST_FINE_PERCENT else f"{percent:.0f} %"


def _above_zero(interval: Interval) -> Interval:
    return max(0.0, interval[0]), interval[1]


def _fine(value: float) -> str:
    return f"{value:.{FINE}g}"


def _range(figure: Figure, written: Callable[[float], str]) -> str:
    """`  [0.91 .. 0.93]`; empty for a single value."""
    if figure.interval is None:
        return ""
    return f"  [{written(figure.interval[0])} .. {written(figure.interval[1])}]"


def _row(label: str, text: str) -> str:
    return f"  {clean(label):<{LABEL_WIDTH - 1}} {clean(text)}".rstrip()
