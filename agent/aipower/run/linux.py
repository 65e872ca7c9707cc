"""Two process attributes of Linux that the standard library does not offer (numbers: linux/prctl.h)."""

from __future__ import annotations

import ctypes
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> bool:
    """True if orphaned descendants will from now on become our children; the mark is not inherited."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> bool:
    """True if the kernel will kill this process as soon as the thread that forked it ends."""
    return _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> bool:
    """True if the kernel took it; a sandbox may refuse, and a libc may lack the call."""
    try:
        call = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return False
    zero = ctypes.c_ulong(0)
    return bool(call(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero) == 0)
