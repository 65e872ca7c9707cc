"""Which runs stand for a side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath
from typing import Protocol

from aipower.compare.model import Side
from aipower.errors import AipowerError, UsageError
from aipower.runrecord import RunRecord

LEAST_SIDES = 2


class Runs(Protocol):
    """Where runs are kept; as aipower.store.RunStore."""

    def find_all(self, word: str) -> list[RunRecord]:
        """All runs of a name or series, or one run.

        Raises:
            UsageError: There is none.
        """
        ...


def sides_of(words: Sequence[str], runs: Runs) -> list[Side]:
    """The sides that `words` mean, the baseline first.

    Raises:
        UsageError: A word means no run, there are fewer than two, or a run is on two sides.
    """
    if len(words) < LEAST_SIDES:
        raise UsageError("a comparison takes two runs or more: the baseline, then what is held against it")
    found = [_found(word, runs) for word in words]
    labels = [_label(word, records) for word, records in zip(words, found, strict=True)]
    plain = labels if len(set(labels)) == len(labels) else words
    sides = [side(label, records) for label, records in zip(plain, found, strict=True)]
    _check_apart(sides)
    return sides


def side(label: str, records: Iterable[RunRecord]) -> Side:
    """The runs that count, by time; warm-ups, failed and partial ones only where there are no others."""
    kept = sorted(records, key=lambda record: (record.started_unix_s, record.run_id))
    left_out: list[tuple[RunRecord, str]] = []
    for reason, is_so in REASONS:
        good = [record for record in kept if not is_so(record)]
        if good:
            left_out += [(record, reason) for record in kept if is_so(record)]
            kept = good
    return Side(label, tuple(kept), tuple(left_out))


def is_warmup(record: RunRecord) -> bool:
    """True for a run that only warms up."""
    return record.series is not None and record.series.index == 0


def has_failed(record: RunRecord) -> bool:
    """True where the command did not do what it was to do."""
    return record.exit_code != 0


def is_partial(record: RunRecord) -> bool:
    """True where the figures do not cover the whole run."""
    return not record.complete


REASONS: Sequence[tuple[str, Callable[[RunRecord], bool]]] = (
    ("warm-up", is_warmup),
    ("failed", has_failed),
    ("not measured to its end", is_partial),
)


def _found(word: str, runs: Runs) -> list[RunRecord]:
    """The runs of one word, or of several with commas between them."""
    try:
        return runs.find_all(word)
    except AipowerError:
        parts = [part for part in word.split(",") if part]
        if len(parts) < 2:  # noqa: PLR2004 - one word has been looked for already
            raise
    return list({record.run_id: record for part in parts for record in runs.find_all(part)}.values())


def _label(word: str, records: Sequence[RunRecord]) -> str:
    """The word itself; of files and lists the name that the runs have, or what is different in the words."""
    if "/" not in word and "," not in word:
        return word
    names = {record.name for record in records}
    if len(names) == 1 and "" not in names:
        return names.pop()
    return ",".join(PurePath(part).stem for part in word.split(","))


def _check_apart(sides: Sequence[Side]) -> None:
    """Complain of a run that is compared with itself.

    Raises:
        UsageError: There is one.
    """
    seen: dict[str, str] = {}
    for one in sides:
        for record in one.runs:
            if record.run_id in seen:
                raise UsageError(
                    f"run {record.run_id} is in both {seen[record.run_id]!r} and {one.label!r}:"
                    " give the two different names or ids"
                )
        seen |= {record.run_id: one.label for record in one.runs}
