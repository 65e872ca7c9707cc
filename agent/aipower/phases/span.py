"""Which phase a thread or an asyncio task is in."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextvars import ContextVar

_ids = itertools.count(1)


class Span:
    """One time that a phase was entered."""

    __slots__ = ("id", "living", "owner", "parent", "pid")

    def __init__(self, owner: object, parent: Span | None) -> None:
        self.id = next(_ids)
        """Unique in the process; 0 if the surrounding run does not know of it, as its message was lost."""
        self.owner = owner
        self.parent = parent
        self.pid = os.getpid()
        """The process that entered it: a forked child has it in its memory, but is not in it."""
        self.living = True


_current: ContextVar[Span | None] = ContextVar("aipower_phase", default=None)


def enter(span: Span) -> None:
    """This thread or task is in `span` from now on."""
    _current.set(span)


def leave(span: Span) -> None:
    """`span` is over, in whichever thread or task, and even where those within it are not."""
    span.living = False
    if _current.get() is span:
        _current.set(here())


def here() -> Span | None:
    """The innermost phase that this thread or task is in, of those that the surrounding run knows of.

    It is none that has ended meanwhile, and none of the parent of this process.
    """
    pid = os.getpid()
    return next((span for span in _around() if span.living and span.id and span.pid == pid), None)


def number_here() -> int:
    """The number of the phase `here`; 0 outside of all."""
    span = here()
    return span.id if span else 0


def entered_by(owner: object) -> Span | None:
    """The innermost phase here that `owner` has entered and not left."""
    return next((span for span in _around() if span.owner is owner and span.living), None)


def _around() -> Iterator[Span]:
    span = _current.get()
    while span is not None:
        yield span
        span = span.parent
