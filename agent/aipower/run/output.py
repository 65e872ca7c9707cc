"""A file that an option names."""

from __future__ import annotations

import errno
import os

from aipower.errors import UsageError
from aipower.imports.lean import suppress
from aipower.run.console import complain

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from typing import Self

    StrPath = str | os.PathLike[str]

_MODE = 0o666


class Output:
    """The file for the record, opened before the command starts so that a mistyped path costs nothing.

    What the file held is kept until there is a record to replace it, and a file that we made goes again if no command
    was started.
    """

    def __init__(self, path: StrPath | None, option: str = "--json") -> None:
        """Open `path` for writing.

        Raises:
            UsageError: It cannot be written, or it is a pipe that nobody reads from.
        """
        self._path = path
        self._descriptor: int | None = None
        self._ours = False
        self._linked = False
        if path is None:
            return
        try:
            self._ours = not os.path.exists(path)
            self._descriptor = _open(path)
            self._linked = os.fstat(self._descriptor).st_nlink > 0
        except OSError as error:
            raise UsageError(f"{option} {os.fspath(path)}: {_reason(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._descriptor is None or self._path is None:
            return
        os.close(self._descriptor)
        if self._ours:
            with suppress(OSError):
                os.unlink(self._path)

    def keep(self) -> None:
        """The command has started: from now on the file stays."""
        self._ours = False

    def write(self, content: bytes) -> None:
        """Replace what the file held by `content`; says so in one line where the disk refuses."""
        if self._descriptor is None or self._path is None:
            return
        try:
            if self._linked and os.fstat(self._descriptor).st_nlink == 0:
                _write_anew(self._path, content)  # the job has deleted the file
            else:
                _replace(self._descriptor, content)
        except OSError as error:
            complain(f"aipower-run: {os.fspath(self._path)}: the record could not be written: {error.strerror}")


def _open(path: StrPath) -> int:
    """A descriptor of `path`. Without O_NONBLOCK a pipe would hold us up until somebody reads from it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, _MODE)
    os.set_blocking(descriptor, True)
    return descriptor


def _replace(descriptor: int, content: bytes) -> None:
    with suppress(OSError):  # a pipe or a device has no length
        os.ftruncate(descriptor, 0)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)


def _write_anew(path: StrPath, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def _reason(error: OSError) -> str:
    if error.errno == errno.ENXIO:
        return "nobody reads from it; start its reader first, or name a file"
    return f"{error.strerror}; name a file in a folder that you may write to"
