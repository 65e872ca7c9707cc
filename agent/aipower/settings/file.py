"""The configuration file: its keys, and the line of each."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from aipower.errors import UsageError

MAX_BYTES = 64 * 1024
"""Ten times the shipped file."""
MAX_LINE_CHARS = 8192
"""Two of the longest paths; `tomllib` takes minutes for a key of some ten thousand parts."""
MAX_LOOKS = 8
"""Lines that are tried for the one of a key: each costs a reading of all that is before it."""


class Document(Struct, frozen=True):
    """What a file says."""

    path: Path
    text: str
    keys: Mapping[str, object]

    def place(self, key: str) -> str:
        """`FILE:LINE` of a key; without the line where it is written in an unusual way."""
        written = re.compile(rf"""^[ \t]*\[*[ \t]*(["']?){re.escape(key)}\1[ \t]*[=.\]]""", re.MULTILINE)
        for _, found in zip(range(MAX_LOOKS), written.finditer(self.text), strict=False):
            before = self.text[: found.start()]
            if is_toml(before):
                return f"{self.path}:{before.count(chr(10)) + 1}"
        return str(self.path)


def read_document(path: Path) -> Document:
    """The file at `path`.

    Raises:
        UsageError: It cannot be read, or is not TOML; it names the line.
    """
    try:
        content = _read(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot read the configuration: {error.strerror or error}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}:{_line(content[: error.start])}: not UTF-8 text") from error
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE_CHARS:
            raise UsageError(f"{path}:{number}: a line of more than {MAX_LINE_CHARS} characters")
    try:
        return Document(path, text, tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        why = str(error).replace("at end of document", f"at line {_line(content.rstrip())}, the end of the file")
        raise UsageError(f"{path}: not valid TOML: {why}") from error


def _read(path: Path) -> bytes:
    # Without O_NONBLOCK a pipe would hold us up until somebody writes into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        content = os.read(descriptor, MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        raise OSError(f"longer than {MAX_BYTES} bytes")
    return content


def is_toml(text: str) -> bool:
    """False for what ends within a string or a list, for example."""
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _line(before: bytes) -> int:
    return before.count(b"\n") + 1
