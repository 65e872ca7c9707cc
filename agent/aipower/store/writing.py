"""The writer's half of the store. It imports next to nothing: what it costs is added to every run.

`RunStore` in aipower.store.folder is the half for everybody else.
"""
# pathlib costs every run 4 ms:
# ruff: noqa: PTH102, PTH105, PTH108, PTH111, PTH112, PTH116, PTH120

from __future__ import annotations

import errno
import os

from aipower.errors import AipowerError
from aipower.imports.lean import suppress

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER_VARIABLE = "AIPOWER_RUNS_DIR"
RECORD, GOING, UNFINISHED = ".json", ".going", ".part"
"""How the files of the store end: a record, the marker of a run that is going, a record that is being written."""
MAX_ID = 200
FOLDER_MODE, FILE_MODE = 0o700, 0o600
"""Command lines hold secrets."""
_ID_MARKS = "-_."
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def runs_folder(environ: Mapping[str, str], home: str) -> str:
    """Where the runs are kept; `home` may be empty.

    Raises:
        AipowerError: No variable names a folder, and there is no home.
    """
    if named := environ.get(FOLDER_VARIABLE, ""):
        return named
    data = environ.get("XDG_DATA_HOME", "")
    if not data.startswith("/"):  # XDG: a relative path is to be ignored
        if not home.startswith("/"):
            raise AipowerError(f"there is no home folder to keep runs in; name a folder by {FOLDER_VARIABLE}")
        data = f"{home}/.local/share"
    return f"{data}/aipower/runs"


def home_of(environ: Mapping[str, str]) -> str:
    """The user's home folder; empty where nobody knows it."""
    home = environ.get("HOME", "") or os.path.expanduser("~")
    return home if home.startswith("/") else ""


def put_bytes(folder: str, run_id: str, content: bytes) -> str:
    """Keep the record `content` of `run_id` and return its path; a reader sees all of it or nothing.

    Nothing is synced to the disk: after a power cut the last records may be missing.

    Raises:
        AipowerError: It cannot be written; nothing is left behind.
    """
    return _put(folder, run_id, RECORD, content)


def begin(folder: str, run_id: str, line: bytes) -> str:
    """Mark `run_id` as going and return the marker's path; `line` is the JSON object that aipower.store.going reads.

    Raises:
        AipowerError: As by `put_bytes`.
    """
    return _put(folder, run_id, GOING, line)


def finished(folder: str, run_id: str) -> None:
    """Remove the marker, if there is one: call it once the record is there, or there will be none."""
    with suppress(OSError):
        os.unlink(f"{folder}/{run_id}{GOING}")


def is_id(run_id: str) -> bool:
    """True for what may be the name of a file of the store, and of no other."""
    marked = all(char.isalnum() or char in _ID_MARKS for char in run_id)
    return marked and run_id.isascii() and 0 < len(run_id) <= MAX_ID and not run_id.startswith(".")


def _put(folder: str, run_id: str, ending: str, content: bytes) -> str:
    if not is_id(run_id):
        raise AipowerError(f"{run_id!r} cannot be the id of a run: letters, digits, '-', '_' and '.' only")
    path = f"{folder}/{run_id}{ending}"
    # The process and a random number: two writers of one run must not share it.
    unfinished = f"{folder}/.{run_id}.{os.getpid()}.{os.urandom(4).hex()}{UNFINISHED}"
    try:
        try:
            _write(unfinished, content)
        except FileNotFoundError:
            _make(folder)
            _write(unfinished, content)
        os.replace(unfinished, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(unfinished)
        raise AipowerError(f"run {run_id} is not kept: {folder}: {_words(error)}") from error
    return path


def _words(error: OSError) -> str:
    """What is wrong and what to do."""
    space = "free some space, or " if error.errno in FULL else ""
    return f"{error.strerror or error}; {space}name another folder by {FOLDER_VARIABLE}"


def _write(path: str, content: bytes) -> None:
    """A new file, or an OSError.

    Root's runs (`sudo aipower-run`) in a user's folder are the user's: else one could not read what one has measured.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        _give_to_owner_of(os.path.dirname(path), descriptor)
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)


def _make(folder: str) -> None:
    """The folder and those above it, private as XDG wants them."""
    for path in _missing(folder):
        with suppress(FileExistsError):  # another run was faster
            os.mkdir(path, FOLDER_MODE)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            _give_to_owner_of(os.path.dirname(path) or ".", descriptor)
        finally:
            os.close(descriptor)


def _missing(folder: str) -> Iterator[str]:
    """Those of the folders of the path that do not exist, the outermost first."""
    above = os.path.dirname(folder)
    if above and above != folder and not os.path.isdir(above):
        yield from _missing(above)
    if folder and not os.path.isdir(folder):
        yield folder


def _give_to_owner_of(folder: str, descriptor: int) -> None:
    """What root has just made belongs to whom the folder around it belongs; by descriptor, so no link misleads us."""
    if os.geteuid() != 0:
        return
    with suppress(OSError):
        owner = os.stat(folder)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
