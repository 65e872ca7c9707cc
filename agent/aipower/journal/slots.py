"""One slot of the journal as bytes: a header that says what follows and proves it, and the payload."""

from __future__ import annotations

import hashlib
import struct

from msgspec import Struct

from aipower.journal.troubles import JournalError

MAGIC = b"aipowerJ"
FORMAT = 1
"""Raised when an older agent could not read what a newer one writes; fields may be added without."""
MAX_PAYLOAD_BYTES = 32 * 1024 * 1024
"""No state is larger: 10,000 processes on 20 devices are 12 MB."""
_HEADER = struct.Struct(">8sIIQQ32s")
"""Magic, format, flags (0), sequence, payload's length, SHA-256 of all of that and the payload."""
_PLAIN = struct.Struct(">8sIIQQ")
MAX_SEQUENCE = 2**63


class Sealed(Struct, frozen=True):
    """A payload that was written whole."""

    sequence: int
    payload: bytes


def seal(sealed: Sealed) -> bytes:
    """The bytes of a slot.

    Raises:
        JournalError: The payload is too large.
    """
    if len(sealed.payload) > MAX_PAYLOAD_BYTES:
        raise JournalError("failed", f"{len(sealed.payload)} bytes are too many")
    plain = _PLAIN.pack(MAGIC, FORMAT, 0, sealed.sequence, len(sealed.payload))
    return plain + _digest(plain, sealed.payload) + sealed.payload


def unseal(data: bytes) -> Sealed | None:
    """What `seal` was given; None for a slot that nobody has written. What lies behind the payload is ignored.

    Raises:
        JournalError: It was not written whole or was changed since, or a newer agent wrote it.
    """
    if not data:
        return None
    if len(data) >= _HEADER.size:
        magic, format_, _, sequence, length, digest = _HEADER.unpack_from(data)
        if magic == MAGIC and format_ > FORMAT:
            raise JournalError("newer", f"format {format_} is newer than {FORMAT}")
        payload = data[_HEADER.size : _HEADER.size + min(length, MAX_PAYLOAD_BYTES)]
        whole = magic == MAGIC and format_ == FORMAT and sequence < MAX_SEQUENCE and len(payload) == length
        if whole and digest == _digest(data[: _PLAIN.size], payload):
            return Sealed(sequence, payload)
    raise JournalError("corrupt", "the checksum does not fit")


def _digest(plain: bytes, payload: bytes) -> bytes:
    return hashlib.sha256(plain + payload).digest()
