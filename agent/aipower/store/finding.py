"""Which run a word of the command line means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from aipower.errors import UsageError
from aipower.store import writing
from aipower.store.folder import Listing, RunStore
from aipower.store.going import Going
from aipower.store.summary import Summary

LAST = re.compile(r"last(?:~(\d{1,9}))?")
LEAST_PREFIX = 4
"""Characters of an id; fewer fit too many runs."""
SHOWN = 4
LONGEST_TOLD = 60


def short_id(run_id: str) -> str:
    """The random part of an id, which is enough to name the run."""
    return run_id.rpartition("-")[2]


def find_path(store: RunStore, word: str) -> Path:
    """The file of the run that `word` means, see `RunStore.find`.

    Raises:
        UsageError: There is none, or several that it might be.
        AipowerError: The folder cannot be read.
    """
    if _looks_like_path(word) and _is_there(word):
        return Path(word)
    if position := LAST.fullmatch(word):
        return store.path_of(_last(store, int(position[1] or 0)))
    if writing.is_id(word) and store.path_of(word).exists():
        return store.path_of(word)
    listing = store.listing()
    named = [summary.run_id for summary in listing.summaries if word and summary.name == word]
    found = named[-1:] or _beginning(word, [summary.run_id for summary in listing.summaries])
    if len(found) > 1:
        raise UsageError(f"{_told(word)} begins the ids of {len(found)} runs: {_some(found)}; type more of it")
    if found:
        return store.path_of(found[0])
    if _looks_like_path(word) or (word and _is_there(word)):
        return Path(word)
    raise UsageError(_not_found(store, listing, word))


def find_paths(store: RunStore, word: str) -> list[Path]:
    """The files of all runs that `word` means, see `RunStore.find_all`.

    Raises:
        UsageError: As by `find_path`.
        AipowerError: As by `find_path`.
    """
    if not word or LAST.fullmatch(word) or (_looks_like_path(word) and _is_there(word)):
        return [find_path(store, word)]
    summaries = store.summaries()
    series = _beginning(word, sorted({one.series.id for one in summaries if one.series}))
    several = [one for one in summaries if one.name == word] or [
        one for one in summaries if one.series and [one.series.id] == series
    ]
    if several and not any(one.run_id == word for one in several):
        return [store.path_of(one.run_id) for one in several]
    return [find_path(store, word)]


def _looks_like_path(word: str) -> bool:
    """A name may as well: then it is one where there is no such file."""
    return "/" in word or word.endswith(writing.RECORD)


def _is_there(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):  # too long for a path, or with a NUL in it
        return False


def _last(store: RunStore, back: int) -> str:
    """The id of the newest run, or of the one `back` before it; runs that cannot be read do not count.

    Raises:
        UsageError: There are not so many.
    """
    count = 0
    for run_id in _readable(store):
        if count == back:
            return run_id
        count += 1
    if count == 0:
        raise UsageError(_nothing(store))
    raise UsageError(f"last~{back}: only {count} runs are kept, so last~{count - 1} is the oldest")


def _readable(store: RunStore) -> Iterator[str]:
    """Ids, the newest first, without reading more files than are asked for."""
    return (run_id for run_id in reversed(store.ids()) if isinstance(store.summary(run_id), Summary))


def _beginning(word: str, ids: Sequence[str]) -> list[str]:
    """Those of the ids that begin with `word`, or whose last part does; one that is equal beats the others."""
    if len(word) < LEAST_PREFIX:
        return []
    equal = [one for one in ids if word in {one, short_id(one)}]
    return equal or [one for one in ids if one.startswith(word) or short_id(one).startswith(word)]


def find_going(listing: Listing, word: str) -> Going | None:
    """The newest run without a record that `word` means by its id, the beginning of it, or its name."""
    found = (
        going
        for going in reversed(listing.going)
        if _beginning(word, [going.marker.run_id]) or (word and going.marker.name == word)
    )
    return next(found, None)


def _not_found(store: RunStore, listing: Listing, word: str) -> str:
    if going := find_going(listing, word):
        short = short_id(going.marker.run_id)
        if going.state == "killed":
            return f"run {short} was killed and has no record; `aipower rm {short}` takes it off the list"
        if going.state == "elsewhere":
            return f"run {short} began on {going.marker.host!r} and has no record yet"
        return f"run {short} still goes: it has a record when it ends"
    if not listing.summaries:
        return _nothing(store)
    words = {one.name for one in listing.summaries if one.name} | {short_id(one.run_id) for one in listing.summaries}
    near = [one for one in sorted(words) if word and word in one] or difflib.get_close_matches(word, sorted(words))
    meant = f"; did you mean {', '.join(near[:SHOWN])}?" if near else ""
    least = f"; an id needs {LEAST_PREFIX} characters or more" if 0 < len(word) < LEAST_PREFIX else ""
    return f"no run {_told(word)} is kept{meant}{least}; see `aipower runs`"


def _told(word: str) -> str:
    return repr(word if len(word) <= LONGEST_TOLD else f"{word[:LONGEST_TOLD]}...")


def _nothing(store: RunStore) -> str:
    return f"no run is kept in {store.folder} yet; aipower-run keeps those that it measures"


def _some(ids: Sequence[str]) -> str:
    plain = [short_id(one) for one in ids]
    shown = ", ".join(plain[-SHOWN:] if len(set(plain)) == len(ids) else ids[-SHOWN:])
    return f"{shown} and others" if len(ids) > SHOWN else shown
