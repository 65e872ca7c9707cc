"""The newest runs of a store, and their records."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, field

from aipower.runrecord import NoRecordError, RunRecord, from_json
from aipower.shelf.files import Folder, Mark
from aipower.site.sources import KeptRun
from aipower.store.going import Here, Marker, read_marker, state_of, this_machine
from aipower.store.summary import NotReadError, Summary, read_summary
from aipower.store.writing import GOING, RECORD, is_id

MOST_RUNS = 100
LOOKS_A_RUN = 4
"""So many files are looked at for each run that is shown: some are markers, some may be rubbish."""
MOST_BYTES = 64 * 2**20
"""Read for one listing. What is not read now is read when somebody asks again."""
SETTLED_S = 2.0
"""Times of files are no finer than this on some file systems: a younger folder may change without showing it."""
MAX_NAME = 512


class _Page(Struct, frozen=True):
    """What was found in the folder."""

    ended: tuple[KeptRun, ...] = ()
    begun: tuple[Marker, ...] = ()
    """Without a record."""


_Found = KeptRun | Marker | None
"""What a file holds; None for rubbish."""


class _Looks(Struct):
    """The files that were looked at, by name, and how much of them had to be read."""

    known: dict[str, tuple[Mark, _Found]] = field(default_factory=dict)
    read_bytes: int = 0
    whole: bool = True
    """False where something was not read, as it had become too much."""


class RunShelf:
    """The newest runs in `folder`: those that have ended, go on here, or were killed. Any thread may ask.

    What it costs does not grow with the records that are kept, but for their names. Where nothing has changed it is
    one look at the folder, and one at each process that goes on.
    """

    def __init__(
        self,
        folder: Folder,
        most: int = MOST_RUNS,
        here: Callable[[], Here] = this_machine,
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._most = most
        self._here = here
        self._unix_s = unix_s
        self._lock = threading.Lock()
        self._seen: Mark | None = None
        self._page = _Page()
        self._looks = _Looks()

    def hidden(self) -> str:
        """All are shown."""
        return ""

    def runs(self) -> Sequence[KeptRun]:
        """The newest first."""
        with self._lock:
            self._look()
            page = self._page
        found = [*page.ended, *self._states(page.begun)]
        return sorted(found, key=lambda run: run.started_unix_s, reverse=True)[: self._most]

    def record(self, run_id: str) -> RunRecord | None:
        """The record of a run; None for one that is not there, is not ours, or is no record of this run."""
        content = self._folder.read(f"{run_id}{RECORD}") if is_id(run_id) else None
        if content is None:
            return None
        try:
            record = from_json(content)
        except NoRecordError:
            return None
        return record if record.run_id == run_id else None

    def _look(self) -> None:
        """Brings the page up to date with the folder."""
        # The folder first: what changes while we read shows in its next time.
        mark, now_s = self._folder.mark(), self._unix_s()
        if mark is None:
            self._seen, self._page, self._looks = None, _Page(), _Looks()
        elif mark != self._seen:
            looks = _Looks()
            self._page = self._turn(looks)
            self._looks = looks
            settled = mark.changed_ns / 1e9 + SETTLED_S < now_s
            self._seen = mark if settled and looks.whole else None

    def _turn(self, looks: _Looks) -> _Page:
        ended: dict[str, KeptRun] = {}
        begun: list[Marker] = []
        for name in self._folder.newest(self._most * LOOKS_A_RUN):
            if len(ended) + len(begun) >= self._most:
                break
            match self._find(name, looks):
                case KeptRun() as run:
                    ended[run.run_id] = run
                case Marker() as marker if marker.run_id not in ended:
                    begun.append(marker)
        return _Page(tuple(ended.values()), tuple(begun))

    def _find(self, name: str, looks: _Looks) -> _Found:
        """What the file `name` holds, by what is known of it if it is still the same."""
        mark = self._folder.mark_of(name)
        if mark is None:
            return None
        before = self._looks.known.get(name)
        if before is None or before[0] != mark:
            looks.read_bytes += mark.size
            if looks.read_bytes > MOST_BYTES:
                looks.whole = False
                return None
            before = mark, _parsed(name, self._folder.read(name))
        looks.known[name] = before
        return before[1]

    def _states(self, begun: Iterable[Marker]) -> Iterable[KeptRun]:
        """Whether they still go, which changes without any change of a file; none of those of other machines."""
        here = self._here() if begun else None
        for marker in begun:
            state = state_of(marker, here) if here else "elsewhere"
            if state != "elsewhere":
                name = marker.name[:MAX_NAME]
                yield KeptRun(marker.run_id, name, "going" if state == "running" else "killed", marker.started_unix_s)


def _parsed(name: str, content: bytes | None) -> _Found:
    if content is None:
        return None
    if name.endswith(GOING):
        marker = read_marker(content)
        return marker if marker and _is_sound(marker, name.removesuffix(GOING)) else None
    try:
        return _kept(read_summary(content, name.removesuffix(RECORD)))
    except NotReadError:
        return None


def _is_sound(marker: Marker, run_id: str) -> bool:
    return marker.run_id == run_id and math.isfinite(marker.started_unix_s)


def _kept(summary: Summary) -> KeptRun | None:
    if not math.isfinite(summary.started_unix_s):
        return None
    return KeptRun(
        summary.run_id,
        summary.name[:MAX_NAME],
        "ended",
        summary.started_unix_s,
        summary.wall_s,
        summary.exit_code,
        summary.energy_j.total,
        summary.interval_j.total,
    )
