"""Which file descriptors belong to the run: the child gets exactly those, and we do not keep them open."""

from __future__ import annotations

import os

from aipower.imports.lean import suppress

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Iterable

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_WITHOUT_PROC = 1024
"""How many descriptors are looked at where /proc is not mounted: the usual soft limit."""


def open_descriptors(proc: str | os.PathLike[str] = "/proc") -> list[int]:
    """All descriptors of this process that may be open; one of them may have been the listing itself."""
    try:
        return sorted(int(name) for name in os.listdir(f"{os.fspath(proc)}/self/fd"))
    except OSError:
        return list(range(_WITHOUT_PROC))


def inheritable_descriptors() -> frozenset[int]:
    """The descriptors that a command started now would get."""
    return frozenset(fd for fd in open_descriptors() if _inheritable(fd))


def keep_private(descriptors: Iterable[int]) -> None:
    """Make sure that no command started later gets these `descriptors`."""
    for fd in descriptors:
        with suppress(OSError):
            os.set_inheritable(fd, False)


def let_go(descriptors: Iterable[int]) -> None:
    """Give up `descriptors`, so that the other ends of pipes see when the command closes its own.

    Standard error stays, the report goes there. Standard input and output become /dev/null, so that no file
    opened later takes their numbers and gets what was meant for them. Without a /dev/null all is kept.
    """
    try:
        null = os.open(os.devnull, os.O_RDWR)
    except OSError:
        return
    for fd in set(descriptors) - {_STDERR}:
        with suppress(OSError):
            if fd in (_STDIN, _STDOUT):
                os.dup2(null, fd, inheritable=False)
            else:
                os.close(fd)
    os.close(null)


def close_all_but(kept: int) -> None:
    """Close every descriptor of this process but `kept`."""
    for fd in open_descriptors():
        if fd != kept:
            with suppress(OSError):
                os.close(fd)


def _inheritable(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False
