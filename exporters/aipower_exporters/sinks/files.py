"""What goes wrong with files, as reasons of a failed push, and files that are never seen half written."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from aipower.errors import UsageError
from aipower.sinks import SinkError
from aipower_exporters.sinks.options import Options

REASONS: Mapping[int, str] = MappingProxyType(
    {
        errno.ENOSPC: "full",
        errno.EDQUOT: "full",
        errno.EFBIG: "full",
        errno.EACCES: "denied",
        errno.EPERM: "denied",
        errno.EROFS: "denied",
    }
)
"""All other errors are `failed`."""


@contextmanager
def told_as_sink_errors(path: Path) -> Iterator[None]:
    """Raise what the system says of the file `path` as a `SinkError`."""
    try:
        yield
    except OSError as error:
        reason = REASONS.get(error.errno or 0, "failed")
        raise SinkError(reason, f"{path}: {error.strerror or error}") from error


def output_path(options: Options, key: str = "path", suffix: str = "") -> Path:
    """A file that can be made in a folder that is there.

    Raises:
        UsageError: It cannot.
    """
    path = options.path(key)
    if not path.name.endswith(suffix) or path.name in {"", suffix}:
        raise UsageError(f"{key}: expected the path of a file{f' *{suffix}' if suffix else ''}")
    if not path.parent.is_dir():
        raise UsageError(f"{key}: there is no folder {path.parent}; make it, or choose another place")
    if path.exists() and not path.is_file():
        raise UsageError(f"{key}: {path} is no file")
    return path


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Put `content` in the place of what is at `path`; a reader sees the one or the other.

    Raises:
        OSError: As the system says.
    """
    # Not *.prom, and always the same name: whatever ends us leaves at most one such file, and the next one takes it.
    beside = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            os.fchmod(descriptor, mode)
            write_all(descriptor, content)
        finally:
            os.close(descriptor)
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`.

    Raises:
        OSError: As the system says; some of it may have been written.
    """
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def open_to_append(path: Path, mode: int) -> int:
    """A descriptor of the file at `path`, which is made if it is not there.

    Raises:
        OSError: As the system says, or it is no plain file.
    """
    # Without O_NONBLOCK a pipe would hold us up until somebody reads from it.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags, mode)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file")
    return descriptor
