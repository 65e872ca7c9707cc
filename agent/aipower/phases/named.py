"""`aipower.phase`: a part of the program that has a name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Self, TypeVar, overload

from aipower.phases import span as spans
from aipower.phases.channel import our_pipe
from aipower.phases.hub import HUB
from aipower.phases.message import began, ended
from aipower.phases.span import Span
from aipower.phases.sync import Sync, wait, waiter

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class Phase:
    """A named phase, as a `with` or `async with` block or as a decorator.

    It may be entered again and again, within itself, and by several threads or tasks at once.
    """

    __slots__ = ("_name", "_spans", "_wait")

    def __init__(self, name: str, sync: Sync = None) -> None:
        self._name = name
        self._wait = waiter(sync) if sync is not None else None
        self._spans: dict[Span, None] | None = None

    def __enter__(self) -> Self:
        if HUB.sinks or our_pipe() is not None:
            self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        if self._spans:
            self._end()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def __call__(self, function: FunctionT) -> FunctionT:
        """`function` as one that runs in this phase each time it is called.

        A generator is in it while it runs itself, not while what it yielded is used.

        Raises:
            TypeError: It is no function.
        """
        from aipower.phases.wrap import wrapped  # noqa: PLC0415 - brings inspect

        return wrapped(function, self)

    def _begin(self) -> None:
        if self._wait is not None:
            wait(self._wait)
        parent = spans.here()
        span = Span(self, parent)
        if not HUB.send(began(span.id, parent.id if parent else 0, self._name)):
            span.id = 0
        if self._spans is None:
            self._spans = {}
        self._spans[span] = None
        spans.enter(span)

    def _end(self) -> None:
        span = self._take()
        if span is None:
            return
        if span.id and span.pid == os.getpid():
            if self._wait is not None:
                wait(self._wait)
            HUB.send(ended(span.id), owed=True)
        spans.leave(span)

    def _take(self) -> Span | None:
        """The span to be left: that of this thread or task if it has one, else the last that was entered."""
        opened, span = self._spans, spans.entered_by(self)
        if opened is None:
            return None
        if span is not None:
            opened.pop(span, None)
            return span
        try:
            return opened.popitem()[0]
        except KeyError:  # another thread was faster
            return None


@overload
def phase(name: str, /, *, sync: Sync = None) -> Phase: ...


@overload
def phase(function: FunctionT, /) -> FunctionT: ...


def phase(name: str | Callable[..., Any], /, *, sync: Sync = None) -> Any:
    """A phase of the program, for the report of the `aipower-run` around it; without one it does nothing.

    `with aipower.phase("train"):` or `@aipower.phase("train")`, or `@aipower.phase` for the function's own name.
    Phases within phases are parts of them. A thread starts outside of all, an asyncio task in those of its maker.

    Args:
        name: Any text; what does not fit into 100 bytes of its percent-encoding is cut off.
        sync: GPUs work behind the program's back. `"torch"`, `"jax"` or `"cupy"`, or a function, is waited for at both
            ends of the phase, if there is an `aipower-run` to be told; see docs/api.md for what that costs.

    Raises:
        TypeError: The name is no text, or `sync` nothing that can be waited for.
    """
    if isinstance(name, str):
        return Phase(name, sync)
    if callable(name):
        return Phase(_name_of(name), sync)(name)
    raise TypeError(f"a phase needs a name, not {type(name).__name__}")


def _name_of(function: Callable[..., Any]) -> str:
    """`Trainer.fit`, without the functions around it."""
    name = getattr(function, "__qualname__", "") or type(function).__name__
    return str(name).rpartition("<locals>.")[2]
