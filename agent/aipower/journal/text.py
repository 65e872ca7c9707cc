"""Texts as the payload of a slot can hold them."""

from __future__ import annotations

import binascii

from aipower.journal.troubles import JournalError

ESCAPED = "\0"
"""Begins a text that UTF-8 cannot say; no name that the kernel gives begins so."""


def pack(text: str) -> str:
    """`text` as UTF-8 can say it: names of processes are any bytes, and so hold surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return ESCAPED + text.encode("utf-8", "surrogatepass").hex()
    return ESCAPED + text.encode().hex() if text.startswith(ESCAPED) else text


def unpack(text: str) -> str:
    """What `pack` was given.

    Raises:
        JournalError: It cannot have been.
    """
    if not text.startswith(ESCAPED):
        return text
    try:
        return binascii.unhexlify(text[1:]).decode("utf-8", "surrogatepass")
    except ValueError as error:
        raise JournalError("corrupt", f"no text: {error}") from error
