"""A comparison for a terminal: a pure function from the result to text of at most 80 columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from aipower.compare.model import Comparison, Difference, Merit, Pair, Summary, Verdict
from aipower.compare.plot import plot
from aipower.compare.quantities import ONE_RUN, amount, percents, range_percent
from aipower.record.wording import clean, short

WIDTH = 80
LABEL = 18
NAME = 16
BRACKETS = re.compile(r"\[[^\[\]]{0,40}\]")
"""An interval, which is easier to read on one line."""
STICKY = "\u00a0"
PAINTS: Mapping[Verdict, str] = MappingProxyType({"less": "\x1b[1;32m", "more": "\x1b[1;31m"})
PLAIN = "\x1b[0m"
SPARSE_PERCENT = 0.05
"""Errors below are not told: nothing shows of them."""


def render(comparison: Comparison, *, verbose: bool = False, colour: bool = False) -> str:
    """The report, ending with a newline; `verbose` shows every row and what makes the intervals wide."""
    paint = PAINTS if colour else {}
    lines = [
        *_head(comparison),
        *_table(comparison),
        *plot(
            [
                (name, found.percent, found.interval_percent)
                for name, found in _known(comparison)
                if found.interval_percent
            ]
        ),
        *(line for pair in comparison.pairs for line in _pair(pair, comparison, verbose, paint.get(pair.verdict, ""))),
        *_notes(comparison.warnings),
    ]
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _known(comparison: Comparison) -> list[tuple[str, Difference]]:
    """The sides of which there is something to draw."""
    return [(pair.other.label, pair.headline) for pair in comparison.pairs if pair.headline is not None]


def _head(comparison: Comparison) -> Iterable[str]:
    yield from _wrapped(f"aipower compare: {comparison.quantity}", "", "  ")
    if comparison.simulated:
        yield "  SIMULATED SENSORS: no measurement"
    yield ""


def _table(comparison: Comparison) -> Iterable[str]:
    yield _columns("", "runs", "mean", "spread", "change", _level(comparison))
    yield _columns(comparison.baseline.label, *_means(comparison.baseline), "baseline", "")
    for pair in comparison.pairs:
        found = pair.headline
        change = (percents(found), range_percent(found)) if found else ("", "")
        yield _columns(pair.other.label, *_means(pair.other), *change)
    yield ""


def _level(comparison: Comparison) -> str:
    """Several comparisons with one baseline each have a wider interval, so that all of them hold together."""
    confidence = next((found.confidence for _, found in _known(comparison)), 0.95)
    return f"{100 * confidence:.4g} % interval"


def _means(summary: Summary) -> tuple[str, str, str]:
    mean = "not measured" if summary.mean is None else amount(summary.mean, summary.unit)
    spread = "" if summary.spread_percent is None else f"{summary.spread_percent:.2g} %"
    return str(summary.runs), mean, spread


def _columns(label: str, runs: str, mean: str, spread: str, change: str, interval: str) -> str:
    return f"  {short(label, LABEL):<{LABEL}} {runs:>4} {mean:>12} {spread:>7} {change:>8}  {interval:<20}"


def _pair(
    pair: Pair,
    comparison: Comparison,
    verbose: bool,  # noqa: FBT001 - as render's
    paint: str,
) -> Iterable[str]:
    yield from (f"{paint}{line}{PLAIN}" if paint else line for line in _wrapped(pair.sentence))
    if verbose or pair.verdict == "no difference shown":
        yield from _wrapped(_limits(pair), "    ", "    ")
    yield from _rows(pair, comparison.baseline.label, pair.rows if verbose or len(comparison.pairs) == 1 else ())
    yield from _notes(pair.warnings)
    yield ""


def _limits(pair: Pair) -> str:
    """What makes the interval wide, and how often to repeat."""
    if pair.headline is None:
        return ""
    parts = pair.headline.parts
    shares = (
        ("runs vary", parts.runs_percent or 0.0),
        ("measurement", parts.measurement_percent),
        ("sensors' scale", parts.scale_percent),
        ("drift", parts.drift_percent),
    )
    told = ", ".join(f"{what} ±{share:.2g} %" for what, share in shares if share >= SPARSE_PERCENT)
    counts = ", ".join(_count(percent, count) for percent, count in pair.repetitions.items())
    often = f"runs of each side: {counts}" if counts else ""
    return "; ".join(filter(None, (f"what limits it: {told}" if told else "", often)))


def _count(percent: str, count: int | None) -> str:
    return f"no number up to 1000 to show {percent}" if count is None else f"{count} to show {percent}"


def _rows(pair: Pair, baseline: str, rows: Sequence[Difference]) -> Iterable[str]:
    if not rows and not pair.merits:
        return
    yield ""
    yield _row("", short(baseline, 10), short(pair.other.label, 10), "change", "95 % interval")
    for row in rows:
        yield _row(
            row.quantity,
            amount(row.baseline, row.unit),
            amount(row.other, row.unit),
            percents(row),
            range_percent(row),
        )
    for merit in pair.merits:
        yield _merit(merit)


def _merit(merit: Merit) -> str:
    interval = f"[{_change(merit.interval[0])} .. {_change(merit.interval[1])}]" if merit.interval else ONE_RUN
    return _row(merit.name, amount(merit.baseline), amount(merit.other), _change(merit.change), interval)


def _change(value: float) -> str:
    """Three digits: a change is never known as well as a value."""
    return f"{value:+.3g}"


def _row(name: str, base: str, other: str, change: str, interval: str) -> str:
    return f"    {short(name, NAME):<{NAME}} {base:>10} {other:>10} {change:>9}  {interval}"


def _notes(texts: Sequence[str]) -> Iterable[str]:
    for text in texts:
        yield from _wrapped(f"note: {text}", "    ", "          ")


def _wrapped(text: str, first: str = "  ", rest: str = "    ") -> list[str]:
    if not text:
        return []
    whole = BRACKETS.sub(lambda match: match[0].replace(" ", STICKY), clean(text))
    lines = textwrap.wrap(whole, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return [line.replace(STICKY, " ") for line in lines]
