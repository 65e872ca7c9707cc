"""Keeps the agent small: one heap for all threads, and what only its start needed goes back to the system."""

from __future__ import annotations

import ctypes
import gc

SETTLED_S = 5.0
"""So long after its parts were put together the agent has imported and opened what it lives with."""
_ARENA_MAX = -8
"""M_ARENA_MAX of glibc's malloc.h."""


def share_heap() -> bool:
    """True if all threads will take memory from one heap; call this before there is a second one.

    Else glibc gives each a heap of its own, of which most stays empty: 2 MB. As only one thread at a time runs Python,
    they do not wait for one another. Not every libc has the call.
    """
    return _call("mallopt", _ARENA_MAX, 1)


def give_back() -> bool:
    """True if memory that is free went back to the system; 3 MB after the start.

    What is there now stays: the garbage collector need not look at it again, which takes 30 ms each time.
    """
    gc.collect()
    gc.freeze()
    return _call("malloc_trim", 0)


def _call(function: str, *numbers: int) -> bool:
    try:
        return bool(getattr(ctypes.CDLL(None), function)(*numbers))
    except (OSError, AttributeError):
        return False
