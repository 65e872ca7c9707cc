"""The report of a series: a pure function from its summary to text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from aipower.record.page import Page, Row, Style, lay_out, paint
from aipower.record.wording import MOST_FINE_PERCENT, bracket, duration, joules, plus_minus, short
from aipower.run.repeat.figures import Figure
from aipower.run.repeat.play import Play
from aipower.run.repeat.summary import SeriesSummary
from aipower.run.repeat.wording import energy_words
from aipower.runrecord import Interval

KINDS = {"gpu": "GPU", "cpu": "CPU", "dram": "DRAM"}
SCALE_WORDS = "with the sensors' scale, which repeats: no spread shows it"
SHOWN_RUNS = 20
SHOWN_INDICES = 8
FINE = 4
"""Significant digits of figures that are no joules and no seconds."""


def render(summary: SeriesSummary, plays: Sequence[Play], page: Page | None = None) -> str:
    """The report of a series for `page`, ending with a newline."""
    page = page or Page()
    rows = [
        *_runs(plays),
        *_energies(summary),
        *_amounts(summary),
        *(Row("warning", warning, "warn") for warning in _warnings(summary)),
        *(Row("note", note) for note in _notes(summary)),
        *_next(summary, page),
    ]
    return "\n".join([*_headline(summary, page), *lay_out(rows, page)]) + "\n"


def _headline(summary: SeriesSummary, page: Page) -> Iterable[str]:
    name = f" [{short(summary.name, 40)}]" if summary.name else ""
    done = len(summary.records)
    runs = _count(summary.repetitions, "repetition")
    if done != summary.repetitions:
        runs = f"{done} of {runs}"
    warmup = f" after {_count(summary.warmup, 'warm-up')}" if summary.warmup else ""
    room = max(20, page.width - len(name) - len(runs) - len(warmup) - 12) if page.width else 60
    command = paint(short(" ".join(summary.command), room), "strong", page)
    yield f"{paint('aipower:', 'dim', page)} {command}{name}  {runs}{warmup}"
    if summary.simulated:
        yield paint("  SIMULATED SENSORS: no measurement", "warn", page)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _runs(plays: Sequence[Play]) -> Iterable[Row]:
    counted = [play for play in plays if play.index]
    for play in counted[:SHOWN_RUNS]:
        warm = "  started warm" if play.warm else ""
        figures = f"{energy_words(play.record):>9}  {duration(play.record.wall_s):>8}"
        style: Style = "bad" if play.exit_code else "plain"
        yield Row(str(play.index), f"{figures}  exit {play.exit_code}{warm}", style)
    if len(counted) > SHOWN_RUNS:
        yield Row("", f"and {len(counted) - SHOWN_RUNS} more in the --json file")


def _energies(summary: SeriesSummary) -> Iterable[Row]:
    total = summary.energy.get("total")
    if total is None:
        yield Row("mean", "no energy was measured" if summary.wall_s else "no repetition has succeeded", "strong")
        return
    yield Row("mean", _mean_words(total), "strong")
    if total.deviation is not None:
        part = f" ({_percent(total.deviation / total.mean)})" if total.mean > 0 else ""
        yield Row(
            "spread", f"{joules(total.deviation)}{part} deviation, {joules(total.least)} .. {joules(total.most)}"
        )
    yield from _kinds(summary)
    yield Row("absolute", f"{bracket(summary.interval_j.total)}  {SCALE_WORDS}")


def _kinds(summary: SeriesSummary) -> Iterable[Row]:
    """The kinds, where there is more than one."""
    kinds = {label: summary.energy[kind] for kind, label in KINDS.items() if kind in summary.energy}
    if len(kinds) > 1:
        for label, figure in kinds.items():
            interval = f"  {bracket(_above_zero(figure.interval))}" if figure.interval else ""
            yield Row(label, f"{joules(figure.mean)}{interval}")


def _mean_words(figure: Figure) -> str:
    if figure.interval is None:
        return f"{joules(figure.mean)}  of 1: one repetition shows no spread"
    own = plus_minus(figure.mean, figure.interval)
    interval = bracket(_above_zero(figure.interval))
    return f"{joules(figure.mean)}  {interval}  {own} of {figure.count} by their spread, 95 %"


def _amounts(summary: SeriesSummary) -> Iterable[Row]:
    if (guess := summary.estimated_cpu_j) is not None:
        basis = "estimated from CPU time, not in the mean"
        yield Row("CPU", f"{joules(guess.mean)}{_range(guess, joules)}  {basis}")
    wall_s = summary.wall_s
    if wall_s is not None:
        yield Row("wall", f"{duration(wall_s.mean)}{_range(wall_s, duration)}")
    for unit, figure in summary.per.items():
        yield Row("per unit", f"{_fine(figure.mean)} J/{unit}{_range(figure, _fine)}")
    for name, figure in summary.metrics.items():
        yield Row("metric", f"{name} {_fine(figure.mean)}{_range(figure, _fine)}")


def _warnings(summary: SeriesSummary) -> Iterable[str]:
    """What speaks against the series."""
    if summary.first_excess is not None:
        more = f"repetition 1 took {_percent(summary.first_excess)} more than the others"
        yield f"{more}: --warmup 1 leaves such a one out"
    odd = [index for index in summary.outliers if index != 1 or summary.first_excess is None]
    if odd:
        yield f"{_indices(odd)} {'stands' if len(odd) == 1 else 'stand'} out: did something else run meanwhile?"
    if summary.drift is not None:
        how = "risen" if summary.drift > 0 else "fallen"
        yield f"the energy has {how} by {_percent(abs(summary.drift))} over the series: warm up or cool longer"


def _notes(summary: SeriesSummary) -> Iterable[str]:
    if summary.left_out:
        yield f"{_indices(summary.left_out)}: not all of the energy is known, so not in the means of energy"
    if summary.failed:
        yield f"{_indices([one.index for one in summary.failed])} failed: in no mean"
    if summary.cut_short:
        yield f"{_indices(summary.cut_short)} cut short: in no mean"
    if warm := sorted({start.index for start in summary.started_warm}):
        yield f"{_indices(warm)} started warm: {_warm_words(summary)}"
    yield from summary.notes


def _warm_words(summary: SeriesSummary) -> str:
    worst = max(summary.started_warm, key=lambda start: start.power_w - start.idle_w)
    return f"{worst.device} drew {worst.power_w:.0f} W, {worst.idle_w:.0f} W before the series"


def _next(summary: SeriesSummary, page: Page) -> Iterable[Row]:
    """What one may want to type now, if there is something kept to do it with."""
    if not page.saved or not summary.records:
        return
    yield Row("next", f"aipower runs --series {summary.id}   its runs one by one", "dim")
    if summary.mean_of:
        yield Row("", f"aipower compare {summary.id} OTHER   does another series use less?", "dim")


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
