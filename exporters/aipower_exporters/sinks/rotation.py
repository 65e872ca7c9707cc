"""A file of lines that is cut into several by size: no line is lost or torn, and old ones leave."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from aipower_exporters.sinks.files import open_to_append, told_as_sink_errors, write_all
from aipower_exporters.sinks.options import Options

OPTION_KEYS = ("path", "max_bytes", "keep", "gzip")
DEFAULT_MAX_BYTES, DEFAULT_KEEP = 64 * 1024 * 1024, 8
MIN_MAX_BYTES, MAX_MAX_BYTES = 4096, 2**40
MAX_KEEP = 1000
MODE = 0o640
"""Who used what is for those who may read the machine's logs."""
LOOK_BYTES = 64 * 1024
"""Read at a time in the search for the last end of a line."""


class Rotation(Struct, frozen=True):
    """How a file is cut."""

    path: Path
    max_bytes: int = DEFAULT_MAX_BYTES
    """A file does not grow beyond this, unless one push alone is larger."""
    keep: int = DEFAULT_KEEP
    """Files that are kept in all, the one that is being written among them."""
    gzip: bool = False
    """Compress the others."""


def rotation_of(options: Options, path: Path) -> Rotation:
    """The rotation of the file `path` that `options` want.

    Raises:
        UsageError: One of them is wrong.
    """
    return Rotation(
        path,
        options.whole("max_bytes", DEFAULT_MAX_BYTES, MIN_MAX_BYTES, MAX_MAX_BYTES),
        options.whole("keep", DEFAULT_KEEP, 1, MAX_KEEP),
        options.flag("gzip", default=False),
    )


class LineFile:
    """The file at `rotation.path`; older ones are beside it as PATH.1 (the newest), PATH.2, and so on.

    It is opened for each push, so that it may be moved away or removed while the agent runs.
    """

    def __init__(self, rotation: Rotation, header: bytes = b"") -> None:
        """`header` is the first line of each file, with its end, if there is to be one."""
        self._rotation = rotation
        self._header = header

    def append(self, lines: bytes) -> None:
        """Write whole `lines`, all or none of them.

        Raises:
            SinkError: There is no room (`full`), no right (`denied`), or another error (`failed`).
        """
        with told_as_sink_errors(self._rotation.path):
            if not self._appended(lines):
                rotate(self._rotation)
                self._appended(lines)

    def _appended(self, lines: bytes) -> bool:
        """True once `lines` are written; False where the file is to be put aside first."""
        with _opened(self._rotation.path) as descriptor:
            size = _mend(descriptor)
            if size and self._is_over(descriptor, size + len(lines)):
                return False
            _append(descriptor, size, lines if size else self._header + lines)
        return True

    def _is_over(self, descriptor: int, size: int) -> bool:
        """True where `size` is too much for the file, or its header is that of another version."""
        head = os.pread(descriptor, len(self._header), 0)
        return head != self._header or size > self._rotation.max_bytes


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = open_to_append(path, MODE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _append(descriptor: int, size: int, content: bytes) -> None:
    """Write `content` after the `size` bytes that are there; all of it, or none."""
    try:
        write_all(descriptor, content)
    except OSError:
        with contextlib.suppress(OSError):  # the next push mends what is left
            os.ftruncate(descriptor, size)
        raise


def _mend(descriptor: int) -> int:
    """Cut off a line without an end, which a crash or a full disk has left; the size then."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - LOOK_BYTES)
        block = os.pread(descriptor, end - start, start)
        if (at := block.rfind(b"\n")) >= 0:
            end = start + at + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
    return end


def rotate(rotation: Rotation) -> None:
    """Move the file and those beside it one on. A crash at any point loses no line.

    Raises:
        OSError: As the system says.
    """
    older = _older(rotation.path)
    for number in sorted(older, reverse=True):
        for path in older[number]:
            # The file itself is number 0, so the last that is kept is number keep - 1.
            if number + 1 >= rotation.keep:
                path.unlink()
            else:
                path.rename(_numbered(rotation.path, number + 1, ".gz" if path.suffix == ".gz" else ""))
    if rotation.keep == 1:
        rotation.path.unlink()
    else:
        rotation.path.rename(_numbered(rotation.path, 1))
        if rotation.gzip:
            _compress_all(rotation.path)


def _older(base: Path) -> dict[int, list[Path]]:
    """The older files by their numbers. One may be there plain and compressed, where that was cut short."""
    pattern = re.compile(rf"{re.escape(base.name)}\.([1-9][0-9]{{0,5}})(\.gz)?")
    found: dict[int, list[Path]] = {}
    for path in base.parent.iterdir():
        if match := pattern.fullmatch(path.name):
            found.setdefault(int(match[1]), []).append(path)
    return found


def _numbered(base: Path, number: int, suffix: str = "") -> Path:
    return base.with_name(f"{base.name}.{number}{suffix}")


def _compress_all(base: Path) -> None:
    """Compress the older files that are not yet. Where there is no room for it, they stay as they are."""
    for paths in _older(base).values():
        plain = next((path for path in paths if path.suffix != ".gz"), None)
        if plain is None:
            continue
        if len(paths) > 1:  # compressed, but not removed when that was cut short
            plain.unlink()
        else:
            with contextlib.suppress(OSError):
                _compress(plain)


def _compress(plain: Path) -> None:
    beside = plain.with_name(f".{plain.name}.gz.new")
    try:
        with plain.open("rb") as source, beside.open("wb") as target:
            shutil.copymode(plain, beside)
            with gzip.GzipFile("", "wb", 6, target) as packed:
                shutil.copyfileobj(source, packed, LOOK_BYTES)
        beside.replace(plain.with_name(f"{plain.name}.gz"))
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    plain.unlink()
