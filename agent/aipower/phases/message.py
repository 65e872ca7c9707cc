"""The messages: one line of ASCII each, at most 512 bytes, fields separated by one space."""

from __future__ import annotations

import functools
import os
import time

LONGEST_NAME = 100
"""Bytes of a name once it is encoded."""
UNNAMED = "unnamed"
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


def began(span: int, parent: int, name: str) -> bytes:
    """The phase `span` begins now, within `parent` (0: none)."""
    return f"B {time.monotonic_ns()} {os.getpid()} {span} {parent} {encoded(name)}\n".encode()


def ended(span: int) -> bytes:
    """The phase `span` ends now."""
    return f"E {time.monotonic_ns()} {os.getpid()} {span}\n".encode()


def worked(span: int, unit: str, amount: float) -> bytes:
    """`amount` of `unit` was done in the phase `span` (0: in none)."""
    return f"W {time.monotonic_ns()} {os.getpid()} {span} {encoded(unit)} {amount!r}\n".encode()


def scored(span: int, name: str, value: float) -> bytes:
    """A figure of merit."""
    return f"M {time.monotonic_ns()} {os.getpid()} {span} {encoded(name)} {value!r}\n".encode()


def lost(count: int) -> bytes:
    """So many messages of this process were dropped so far."""
    return f"L {time.monotonic_ns()} {os.getpid()} 0 lost {count}\n".encode()


@functools.lru_cache(maxsize=256)
def encoded(name: str) -> str:
    """`name` percent-encoded (RFC 3986, UTF-8), cut after a whole character; a lone surrogate as its escape."""
    kept: list[str] = []
    room = LONGEST_NAME
    for char in name[:LONGEST_NAME] or UNNAMED:
        code = "".join(map(_encoded_byte, char.encode(errors="backslashreplace")))
        room -= len(code)
        if room < 0:
            break
        kept.append(code)
    return "".join(kept)


def _encoded_byte(byte: int) -> str:
    return chr(byte) if byte in _PLAIN else f"%{byte:02X}"
