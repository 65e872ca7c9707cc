"""Which of a node's ranks counts the node's whole devices: the first that holds a lock.

Asked before a command starts, so it waits for nothing, imports next to nothing, and has an answer whatever goes wrong.
"""

from __future__ import annotations

import binascii
import contextlib
import fcntl
import os
import stat

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Mapping

_TRIES = 8
"""Each lost to a leader that removed its file between our open and our lock."""
_LONGEST_NAME = 120
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Lease:
    """What the election has said. Held until `release` or the end of the process, whichever comes first."""

    __slots__ = ("_fd", "_path", "leader", "note")

    def __init__(self, *, leader: bool, note: str = "", fd: int = -1, path: str = "") -> None:
        self.leader = leader
        self.note = note
        """Why there was no election, in one line; empty where there was one."""
        self._fd, self._path = fd, path

    def release(self) -> None:
        """Let another be the leader, and remove the lock's file. Safe to call twice."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        with contextlib.suppress(OSError):
            os.unlink(self._path)  # noqa: PTH108 - pathlib costs every run 4 ms
        with contextlib.suppress(OSError):
            os.close(fd)


def runtime_dir(environ: Mapping[str, str]) -> str:
    """`$XDG_RUNTIME_DIR/aipower` where that is a folder of ours on this machine, else `/tmp/aipower-UID`.

    A scheduler hands the variable from the login node to nodes where there is no such folder.
    """
    ours = environ.get("XDG_RUNTIME_DIR", "")
    if ours.startswith("/") and _is_private(ours):
        return f"{ours}/aipower"
    return f"/tmp/aipower-{os.getuid()}"  # noqa: S108 - owner, mode and kind are looked at before use


def election_key(fields: Mapping[str, str]) -> str:
    """What the ranks of one job on one node have in common, of `job_fields`.

    Where the job has no id that is their parent: the launcher's daemon on the node has started them all.
    """
    who = fields.get("id") or f"parent{os.getppid()}"
    return "-".join((fields.get("system", ""), who, fields.get("step", ""), fields.get("node", "")))


def elect(key: str, folder: str, local_rank: str = "") -> Lease:
    """Be the leader of `key` if there is none. Never waits, never raises.

    The lock lies in `folder`, which is made where it is missing. Where it cannot be had the rank that calls itself the
    first on its node is the leader, and one that knows no `local_rank` is, too: to merge two leaders is easy.
    """
    path = f"{folder}/leader-{_file_name(key)}"
    try:
        _make_private(folder)
        for _ in range(_TRIES):
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            if not _locked(fd):
                return Lease(leader=False)
            if _is_at(fd, path):
                return Lease(leader=True, fd=fd, path=path)
            os.close(fd)
    except OSError as error:
        return _without_lock(local_rank, f"{error.strerror or error}: {path}")
    return _without_lock(local_rank, f"{path} changes all the time")


def _without_lock(local_rank: str, why: str) -> Lease:
    return Lease(leader=local_rank in ("", "0"), note=f"no election of the node's leader: {why}")


def _locked(fd: int) -> bool:
    """Take the lock; closes `fd` where another holds it.

    Raises:
        OSError: The file system knows no locks.
    """
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return False
    except OSError:
        os.close(fd)
        raise
    return True


def _is_at(fd: int, path: str) -> bool:
    """False where the file has been removed since it was opened: nobody else would see its lock."""
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(fd), there)


def _make_private(folder: str) -> None:
    """See that `folder` is there and nobody else's.

    Raises:
        OSError: It cannot be made, or it is somebody else's or open to others.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)  # noqa: PTH102 - see above
    if not _is_private(folder):
        raise PermissionError(0, "not a private folder of this user")


def _is_private(folder: str) -> bool:
    """True for a folder, not a link to one, that is ours and closed to others."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & _OTHERS


def _file_name(key: str) -> str:
    """`key` as a file's name: readable as far as it goes, and its own by a checksum."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in key)
    return f"{plain[:_LONGEST_NAME]}-{binascii.crc32(os.fsencode(key)):08x}"
