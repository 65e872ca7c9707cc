"""What the start of a run needs of the standard library, without what the library brings along for others.

`signal` makes enums of all its constants and `contextlib` wants functools and collections: 6 ms together, on each
`aipower-run`, for what the interpreter has anyway.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    import signal
    from types import TracebackType
else:
    import _signal as signal  # the same functions; they take and give plain numbers

__all__ = ["signal", "suppress"]


class suppress:  # noqa: N801 - named as that of contextlib
    """As `contextlib.suppress`."""

    __slots__ = ("_kinds",)

    def __init__(self, *kinds: type[BaseException]) -> None:
        self._kinds = kinds

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return kind is not None and issubclass(kind, self._kinds)
