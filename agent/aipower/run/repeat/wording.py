"""The lines that a person reads while a series runs; pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from aipower.record.wording import MINUTE_S, duration, joules, plus_minus
from aipower.run.repeat.figures import Figure
from aipower.run.repeat.play import Play
from aipower.runrecord import RunRecord

BAR_WIDTH = 24


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
