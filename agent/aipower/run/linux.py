"""Two process attributes of Linux that the standard library does not offer (numbers: linux/prctl.h)."""

from __future__ import annotations

import _ctypes  # ctypes makes types of all that C knows, which costs 3 ms

from aipower.imports.lean import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class _Int(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001 - what ctypes makes c_int of
    _type_ = "i"


class _UnsignedLong(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001 - as above
    _type_ = "L"


class _Function(_ctypes.CFuncPtr):
    _flags_ = _ctypes.FUNCFLAG_CDECL
    _restype_ = _Int


def become_subreaper() -> bool:
    """True if orphaned descendants will from now on become our children; the mark is not inherited."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> bool:
    """True if the kernel will kill this process as soon as the thread that forked it ends."""
    return _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> bool:
    """True if the kernel took it; a sandbox may refuse, and a libc may lack the call."""
    try:
        call = _Function(_ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl"))  # type: ignore[arg-type]  # None: all that is loaded
    except OSError:
        return False
    zero = _UnsignedLong(0)
    return bool(call(_Int(option), _UnsignedLong(value), zero, zero, zero) == 0)
