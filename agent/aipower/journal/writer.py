"""Writes the newest snapshot now and then, on a thread of its own: a disk may take seconds, or for ever."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from aipower.books.drafts import Draft
from aipower.journal.folder import Disk, Folder
from aipower.journal.journal import Journal, Loaded
from aipower.journal.troubles import JournalError, Troubles
from aipower.model import Fault, JournalState, Snapshot
from aipower.seams import Clock

FLUSH_INTERVAL_S = 10.0
RETRY_S = 5.0
"""Pause after a write that failed: a cause that goes away is noticed within 10 s."""
PATIENCE_S = 1.0
"""Nobody waits for a write that has lasted so long: the disk hangs."""
LATE_S = 10.0
"""A write that takes longer is a fault."""
LOCK_PATIENCE_S, LOCK_PAUSE_S = 2.0, 0.05
"""How long an agent that is about to end is waited for at the start, and the pause between looks."""


def open_journal(
    path: Path, clock: Clock, flush_interval_s: float = FLUSH_INTERVAL_S, disk: Disk | None = None
) -> tuple[JournalWriter, Snapshot | None]:
    """The journal in the folder `path`, and what it held. Raises nothing: what is wrong is told and is a fault.

    What another agent is writing is not loaded: that agent goes on with it. Once it has ended, what it left is kept
    aside and written anew.
    """
    journal, troubles = Journal(Folder(path, disk)), Troubles(str(path))
    trouble = _opened(journal, clock)
    if trouble is not None:
        troubles.begin(trouble, clock.monotonic_s())
    loaded = Loaded() if troubles.now == "locked" else journal.load()
    if loaded.trouble is not None:
        troubles.note(loaded.trouble, clock.monotonic_s())
    return JournalWriter(journal, troubles, clock, flush_interval_s), loaded.state


def _opened(journal: Journal, clock: Clock) -> JournalError | None:
    """Open it, if need be after some time; what is wrong."""
    until_s = clock.monotonic_s() + LOCK_PATIENCE_S
    while True:
        try:
            journal.open()
        except JournalError as error:
            if error.reason != "locked" or clock.monotonic_s() >= until_s:
                return error
        else:
            return None
        clock.sleep(LOCK_PAUSE_S)


class JournalWriter:
    """Keeps the newest of the snapshots that it is offered; `durable` is the newest that is on the disk."""

    def __init__(self, journal: Journal, troubles: Troubles, clock: Clock, flush_interval_s: float) -> None:
        self._journal = journal
        self._troubles = troubles
        self._clock = clock
        self._flush_interval_s = flush_interval_s
        self._changed = threading.Condition()
        self._newest: Draft | Snapshot | None = None
        self._durable: Snapshot | None = None
        self._wanted = 0
        """Number of the newest snapshot that somebody waits for."""
        self._next_s = clock.monotonic_s()
        self._writing_since_s: float | None = None
        self._closing = False
        self._state = JournalState(up=troubles.now is None)
        self._thread = threading.Thread(target=self._run, name="aipower-journal", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def durable(self) -> Snapshot | None:
        """The newest snapshot that is on the disk; None before the first."""
        return self._durable

    def offer(self, draft: Draft | Snapshot) -> None:
        """Take `draft` as the newest; returns at once. It is made when it is written, on the writer's thread."""
        with self._changed:
            self._take(draft)

    def flushed(self, snapshot: Snapshot, timeout_s: float) -> bool:
        """True once `snapshot`, or a later one, is on the disk; False after `timeout_s`, or as soon as that is vain.

        Any thread may call it. What is shown after True can never fall, whatever happens to the machine.
        """
        if self._has(snapshot.number):
            return True
        with self._changed:
            self._take(snapshot)
            self._wanted = max(self._wanted, snapshot.number)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._has(snapshot.number) or self._vain(), timeout_s)
        return self._has(snapshot.number)

    def state(self) -> JournalState:
        """How the journal does, for the next snapshot."""
        with self._changed:
            now_s = self._clock.monotonic_s()
            if self._writing_since_s is not None and now_s - self._writing_since_s > LATE_S:
                self._trouble(JournalError("late", f"a write takes more than {LATE_S:.0f} s"))
            return self._state

    def take_faults(self) -> Sequence[Fault]:
        """What went wrong since the last call, for the ledger."""
        return self._troubles.take_faults()

    def close(self, timeout_s: float) -> bool:
        """Write the newest snapshot and end; False if that was not done within `timeout_s`."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._journal.close()
        return self._newest is None or self._has(self._newest.number)

    def _run(self) -> None:
        while (draft := self._next()) is not None:
            self._write(draft)
            if self._closing:
                return

    def _next(self) -> Draft | Snapshot | None:
        """The snapshot to write, once that is due; None at the end."""
        with self._changed:
            while not (due := self._due()) and not self._closing:
                self._changed.wait(self._rest_s())
            if due:
                self._writing_since_s = self._clock.monotonic_s()
            return self._newest if due else None

    def _due(self) -> bool:
        if self._newest is None or self._has(self._newest.number):
            return False
        asked = self._state.up and not self._has(self._wanted)
        return asked or self._closing or self._clock.monotonic_s() >= self._next_s

    def _rest_s(self) -> float | None:
        """Seconds until the newest snapshot is due; None while there is nothing to write."""
        if self._newest is None or self._has(self._newest.number):
            return None
        return max(0.0, self._next_s - self._clock.monotonic_s())

    def _write(self, draft: Draft | Snapshot) -> None:
        began_s, foreign = self._clock.monotonic_s(), self._journal.foreign
        trouble, snapshot, size_bytes = None, None, 0
        try:
            snapshot = draft.snapshot() if isinstance(draft, Draft) else draft
            size_bytes = self._journal.save(snapshot)
        except JournalError as error:
            trouble = error
        except Exception as error:  # noqa: BLE001 - a bug here must not end the thread: it would do so without a word
            trouble = JournalError("failed", repr(error))
        with self._changed:
            self._writing_since_s = None
            if trouble is None and snapshot is not None:
                self._wrote(snapshot, size_bytes, began_s)
                self._end_trouble(foreign=foreign)
            elif trouble is not None:
                self._trouble(trouble)
                self._next_s = self._clock.monotonic_s() + min(RETRY_S, self._flush_interval_s)
            self._changed.notify_all()

    def _wrote(self, snapshot: Snapshot, size_bytes: int, began_s: float) -> None:
        now_s, before = self._clock.monotonic_s(), self._state
        self._durable = snapshot
        self._next_s = now_s + self._flush_interval_s
        self._state = JournalState(
            True, before.flushes + 1, before.flush_s + now_s - began_s, size_bytes, snapshot.at_unix_s
        )

    def _end_trouble(self, *, foreign: bool) -> None:
        """All is well; with `foreign`, what another agent left there was kept aside for it."""
        if foreign:
            self._troubles.end_with(JournalError("superseded", "another agent's counters"), self._clock.monotonic_s())
        else:
            self._troubles.end()

    def _trouble(self, error: JournalError) -> None:
        self._troubles.begin(error, self._clock.monotonic_s())
        before = self._state
        self._state = JournalState(False, before.flushes, before.flush_s, before.size_bytes, before.written_unix_s)

    def _take(self, snapshot: Draft | Snapshot) -> None:
        if self._newest is None or snapshot.number > self._newest.number:
            if self._newest is None or self._has(self._newest.number):
                self._changed.notify_all()
            self._newest = snapshot

    def _has(self, number: int) -> bool:
        return number <= (self._durable.number if self._durable else 0)

    def _vain(self) -> bool:
        """True while waiting for a write is of no use."""
        since_s = self._writing_since_s
        hangs = since_s is not None and self._clock.monotonic_s() - since_s > PATIENCE_S
        return hangs or not self._state.up or self._closing or not self._thread.is_alive()
