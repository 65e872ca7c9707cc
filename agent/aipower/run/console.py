"""Words on standard error, whatever state it is in."""

from __future__ import annotations

import sys

from aipower.imports.lean import suppress


def complain(message: str) -> None:
    """One line on standard error, if there still is one."""
    say(f"{message}\n")


def say(text: str) -> None:
    """`text` on standard error. The terminal may be gone, or there never was one; the exit code still counts."""
    if sys.stderr is None:
        return
    with suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


def in_one_line(error: BaseException) -> str:
    """What `error` says, or its kind where it says nothing, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
