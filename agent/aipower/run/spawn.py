"""Starts the command as a shell would: same group, session, descriptors, signal state and error codes."""

from __future__ import annotations

import errno
import os

from aipower.errors import AipowerError
from aipower.imports.lean import signal

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

NOT_FOUND = 127
NOT_EXECUTABLE = 126
"""Exit codes of a command that cannot be started, as POSIX gives them for shells."""

_SHELL = "/bin/sh"
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_TRY_NEXT = frozenset(
    (errno.EACCES, errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV, errno.ETIMEDOUT),
)
"""What does not end a search along PATH, as execvp(3) has it."""


class CommandError(AipowerError):
    """The command cannot be started; the message is one line, the exit code 126 or 127."""


def spawn(argv: Sequence[str], mask: Collection[int], environment: Mapping[bytes, bytes]) -> int:
    """The pid of the command `argv`, started in our process group with the signal `mask`.

    It gets every inheritable descriptor, and every signal that we ignore it ignores too, but for the two that
    Python always ignores: these are default again, because what they were before Python cannot be known.

    Raises:
        CommandError: Nothing was started.
    """
    failure = errno.ENOENT
    for path in candidates(argv[0], environment.get(b"PATH")):
        try:
            return _start(path, argv, mask, environment)
        except OSError as error:
            code = error.errno or errno.EIO
        if code not in _TRY_NEXT:
            raise _cannot_start(argv[0], code)
        if failure != errno.EACCES:
            failure = code
    raise _cannot_start(argv[0], failure)


def candidates(name: str, search_path: bytes | None) -> Iterator[str]:
    """The files that `name` may mean, in the order of execvp(3); absent ones are left out."""
    if not name:
        return
    if "/" in name:
        yield name
        return
    for folder in os.fsdecode(search_path if search_path is not None else os.defpath).split(":"):
        path = f"{folder}/{name}" if folder else name
        if _may_exist(path):
            yield path


def original_environment(proc: str | os.PathLike[str] = "/proc") -> dict[bytes, bytes]:
    """Our environment without what Python put into it: in the C locale it sets LC_CTYPE (PEP 538)."""
    environment = dict(os.environb)
    try:
        with open(f"{os.fspath(proc)}/self/environ", "rb") as file:
            first = file.read().split(b"\0")
    except OSError:
        return environment
    environment.pop(b"LC_CTYPE", None)
    environment.update((b"LC_CTYPE", entry[9:]) for entry in first if entry.startswith(b"LC_CTYPE="))
    return environment


def _start(path: str, argv: Sequence[str], mask: Collection[int], environment: Mapping[bytes, bytes]) -> int:
    try:
        return _posix_spawn(path, argv, mask, environment)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    return _posix_spawn(_SHELL, [_SHELL, path, *argv[1:]], mask, environment)


def _posix_spawn(path: str, argv: Sequence[str], mask: Collection[int], env: Mapping[bytes, bytes]) -> int:
    return os.posix_spawn(path, list(argv), env, setsigmask=mask, setsigdef=_IGNORED_BY_PYTHON)


def _may_exist(path: str) -> bool:
    """False only where starting it is bound to fail: this saves a vfork for each folder of PATH."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _cannot_start(name: str, code: int) -> CommandError:
    exit_code = NOT_FOUND if code == errno.ENOENT else NOT_EXECUTABLE
    return CommandError(f"aipower-run: {name}: {_reason(name, code)}", exit_code=exit_code)


def _reason(name: str, code: int) -> str:
    if code == errno.ENOENT:
        if "/" not in name:
            return "command not found"
        exists = os.path.exists(name)
        return "its interpreter was not found" if exists else os.strerror(code)
    is_folder = "/" in name and os.path.isdir(name)
    return "Is a directory" if is_folder else os.strerror(code)
