"""The counters on disk, in two slots that are written in turn: whatever happens to one, the other is whole."""

from __future__ import annotations

from msgspec import Struct

from aipower.journal.decode import decode
from aipower.journal.encode import encode
from aipower.journal.folder import SLOTS, Folder
from aipower.journal.slots import Sealed, seal, unseal
from aipower.journal.troubles import JournalError
from aipower.model import Snapshot


class Loaded(Struct, frozen=True):
    """What was found on the disk."""

    state: Snapshot | None = None
    """None where nothing was, or nothing that can be read."""
    trouble: JournalError | None = None
    """What is lost, if anything."""


class Journal:
    """Loads and saves the counters. Not thread-safe."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._sequence = 0
        self._next = SLOTS[0]
        self._aside: dict[str, str] = {}
        """Slots that must not be written over, and the word to keep them aside under."""
        self.foreign = False
        """True from when another agent was found to write it until it is loaded, or kept aside."""

    def open(self) -> None:
        """Make sure that no other agent writes it.

        Raises:
            JournalError: Another one does, or that cannot be made sure; all can still be loaded.
        """
        try:
            self._folder.lock()
        except JournalError as error:
            if error.reason == "locked":
                self.foreign = True
                self._aside = dict[str, str].fromkeys(SLOTS, "superseded")
            raise

    def load(self) -> Loaded:
        """The newest counters that were written whole."""
        whole: dict[str, tuple[int, Snapshot]] = {}
        broken: dict[str, JournalError] = {}
        empty = False
        for name in SLOTS:
            try:
                sealed = unseal(self._folder.read(name))
                if sealed is None:
                    empty = True
                else:
                    whole[name] = sealed.sequence, decode(sealed.payload)
            except JournalError as error:
                broken[name] = error
        return self._choose(whole, broken, first=empty and not whole)

    def save(self, snapshot: Snapshot) -> int:
        """Keep the counters of `snapshot`; how many bytes they are on the disk, once they are there.

        Raises:
            JournalError: They are not; those of the last call that went well are.
        """
        data = seal(Sealed(self._sequence + 1, encode(snapshot)))
        self.open()
        for name, word in list(self._aside.items()):
            self._folder.keep_aside(name, word)
            del self._aside[name]
        self._folder.write(self._next, data)
        self._sequence += 1
        self._next = _other(self._next)
        self.foreign = False
        return len(data)

    def close(self) -> None:
        """Let another agent have it. Safe to call twice."""
        self._folder.close()

    def _choose(
        self, whole: dict[str, tuple[int, Snapshot]], broken: dict[str, JournalError], *, first: bool
    ) -> Loaded:
        """The newest, and what to do about the rest.

        One slot that was not written whole beside one that was, or beside none at the very beginning, is what an
        agent leaves that was killed in the middle.
        """
        self.foreign = False
        killed = bool(whole) or first
        lost = {name: error for name, error in broken.items() if not (killed and error.reason == "corrupt")}
        self._aside = {name: error.reason for name, error in lost.items()}
        trouble = next(iter(lost.values()), None)
        if not whole:
            return Loaded(None, trouble)
        newest = max(whole, key=lambda name: whole[name][0])
        self._sequence, state = whole[newest]
        self._next = _other(newest)
        return Loaded(state, trouble)


def _other(name: str) -> str:
    return SLOTS[1 - SLOTS.index(name)]
