"""Which measurement a thread or an asyncio task is in, where one `Measure` is used by several at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar

from aipower.measuring.session import Session


class Entry:
    """One time that a `Measure` was entered."""

    __slots__ = ("going", "outer", "owner", "session")

    def __init__(self, owner: object, session: Session, outer: Entry | None) -> None:
        self.owner = owner
        self.session = session
        self.outer = outer
        self.going = True


_current: ContextVar[Entry | None] = ContextVar("aipower_measure", default=None)


def enter(owner: object, session: Session) -> Entry:
    """This thread or task is in `session` from now on."""
    entry = Entry(owner, session, next(_going(), None))
    _current.set(entry)
    return entry


def entered_by(owner: object) -> Entry | None:
    """The innermost one here that `owner` has entered and not left."""
    return next((entry for entry in _going() if entry.owner is owner), None)


def leave(entry: Entry) -> None:
    """It is over, in whichever thread or task."""
    entry.going = False
    _current.set(next(_going(), None))


def _going() -> Iterator[Entry]:
    entry = _current.get()
    while entry is not None:
        if entry.going:
            yield entry
        entry = entry.outer
