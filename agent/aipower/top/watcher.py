"""Feeds a watch from a source, and makes the pictures; the screen and the printed snapshots share it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping

from msgspec import Struct

from aipower.seams import Clock
from aipower.top.books import Lore
from aipower.top.commands import CommandLines
from aipower.top.head import Surroundings
from aipower.top.look import Look, Source
from aipower.top.ownruns import OwnRuns
from aipower.top.picture import picture_of
from aipower.top.rows import Picture
from aipower.top.watch import Watch

QUIET_S, QUIET_INTERVALS = 5.0, 3.0
"""Without a look for so long something hangs."""
MOST_HELD = 16
"""Looks kept while the picture is held; counters go on, so that none is missed for long."""


class Wanted(Struct, frozen=True):
    """Which picture."""

    scope: str | None = None
    whole: bool = False


class Watcher:
    """All that is between a source and a drawing. For one thread."""

    def __init__(
        self,
        source: Source,
        clock: Clock,
        interval_s: float,
        host: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.watch = Watch()
        self._source = source
        self._clock = clock
        self._patience_s = max(QUIET_S, QUIET_INTERVALS * interval_s)
        self._host = host or os.uname().nodename
        self._began_s = self._heard_s = clock.monotonic_s()
        self._commands, self._runs = CommandLines(), OwnRuns(os.environ if environ is None else environ)
        self._looked: Look | None = None
        self._held: deque[Look] = deque(maxlen=MOST_HELD)

    def take(self, *, held: bool = False) -> bool:
        """Take in what is new; True if there is anything. While it is `held` the watch stays as it is."""
        new = self._source.take()
        if new:
            self._heard_s = self._clock.monotonic_s()
        self._held.extend(new)
        if held or not self._held:
            return False
        while self._held:
            self.watch.add(self._held.popleft())
        return True

    def picture(self, wanted: Wanted) -> Picture | None:
        """The rows now; None before the first look.

        Raises:
            AipowerError: There will never be one.
        """
        if self._source.failure is not None:
            raise self._source.failure
        look = self.watch.look
        if look is None:
            return None
        lore = self._lore(look) if self._source.origin.kind == "self" else Lore()
        return picture_of(self.watch, wanted.scope, whole=wanted.whole, lore=lore)

    def _lore(self, look: Look) -> Lore:
        """Command lines and runs of this machine; an agent may be elsewhere, and tells runs itself."""
        there = frozenset(row.info.id for row in look.snapshot.processes if row.info is not None)
        self._commands.keep_only(there)
        self._runs.keep_only(there)
        if look is not self._looked:
            self._looked = look
            self._runs.refresh()
        return Lore(self._commands.of, self._runs.of)

    def around(self) -> Surroundings:
        """What is known beside the counters now."""
        now_s = self._clock.monotonic_s()
        return Surroundings(self._host, self._source.origin, self._trouble(now_s), now_s - self._began_s)

    def _trouble(self, now_s: float) -> str:
        quiet_s = now_s - self._heard_s
        if self._source.trouble or quiet_s <= self._patience_s:
            return self._source.trouble
        return f"no figures for {quiet_s:.0f} s: a sensor does not answer; see `aipower doctor`"
