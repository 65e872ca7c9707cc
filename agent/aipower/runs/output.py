"""Words and bytes to where they were asked for, and one line where they cannot go."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from aipower.errors import AipowerError
from aipower.streams import discard

STANDARD_OUTPUT = "-"
USUAL_COLUMNS = 80
"""Of a terminal that does not say how wide it is."""


def say(text: str) -> None:
    """`text` on standard output, whatever its encoding.

    Raises:
        AipowerError: The disk is full, for example.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    _send(sys.stdout, text.encode(encoding, errors="backslashreplace").decode(encoding))


def note(line: str) -> None:
    """One line on standard error, for what is no result."""
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)


def colours(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """True for a terminal that shows them, of somebody who wants them."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def glyphs(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """True where block characters can be shown."""
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    return encoding == "utf8" and environ.get("TERM") not in {"dumb", "linux"}


def width_of(stream: TextIO, environ: Mapping[str, str]) -> int | None:
    """Columns of the terminal, or what `COLUMNS` says; None for a pipe or a file, which take lines of any length."""
    told = environ.get("COLUMNS", "")
    if told.isascii() and told.isdecimal() and int(told) > 0:
        return int(told)
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_COLUMNS
    except OSError:
        return USUAL_COLUMNS


def write_file(target: str, content: Iterable[bytes]) -> int:
    """Write `content` to the file `target`, all or nothing, or to standard output for `-`; how many bytes it was.

    Raises:
        AipowerError: It cannot be written. What a regular file held is then still there.
    """
    if target == STANDARD_OUTPUT:
        return _to_standard_output(content)
    path = Path(target)
    try:
        if path.is_dir():
            raise AipowerError(f"{target} is a folder; name a file")
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            return _into(path, content)
        return _replace(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise AipowerError(f"{target} cannot be written: {error.strerror or error}") from error


def _replace(path: Path, content: Iterable[bytes]) -> int:
    unfinished = path.with_name(f".{path.name[:100]}.{os.urandom(4).hex()}.part")
    try:
        count = _into(unfinished, content)
        if path.exists():
            unfinished.chmod(stat.S_IMODE(path.stat().st_mode))
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return count


def _into(path: Path, content: Iterable[bytes]) -> int:
    with path.open("wb") as file:
        return sum(file.write(chunk) for chunk in content)


def _to_standard_output(content: Iterable[bytes]) -> int:
    count = 0
    try:
        for chunk in content:
            count += sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
    except OSError as error:
        _failed(sys.stdout, error)
    return count


def _send(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        _failed(stream, error)


def _failed(stream: TextIO, error: OSError) -> None:
    """A reader that has left (`| head`) is no error.

    Raises:
        AipowerError: For any other reason.
    """
    discard(stream)
    if not isinstance(error, BrokenPipeError):
        raise AipowerError(f"standard output cannot be written: {error.strerror or error}") from error
