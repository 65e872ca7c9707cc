"""Collects the command and every orphan of it, with the CPU time that they and their own children used."""

from __future__ import annotations

import os
import time

from aipower.imports.lean import signal

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Callable
    from resource import struct_rusage

    from aipower.run.witness import Witness

_BYTES_PER_MAXRSS = 1024
"""Linux counts ru_maxrss in KiB: getrusage(2)."""


class End:
    """How and when the command ended."""

    __slots__ = ("at_s", "status")

    def __init__(self, status: int, at_s: float) -> None:
        self.status = status
        """As waitpid gives it."""
        self.at_s = at_s


class Reaper:
    """Waits, without blocking, for `command` and for the orphans that a subreaper inherits."""

    def __init__(
        self,
        command: int,
        witness: Witness,
        on_exit: Callable[[], None],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._witness = witness
        self._on_exit = on_exit
        self._now_s = now_s
        self._stopped_by = 0
        self.end: End | None = None
        self.childless = False
        """True once no child is left, the witness included."""
        self.cpu_s = 0.0
        """User and system seconds of all that was reaped, with what these had reaped themselves."""
        self.max_rss_bytes = 0
        """The largest resident set of any one of them."""

    def poll(self) -> None:
        """Take in all that has changed, the command first so that its end is stamped at once."""
        if self.end is None:
            self._take(self._command)
        while self._take(-1):
            pass

    def take_stop(self) -> int:
        """The signal that has stopped the command since last asked, or 0."""
        signo, self._stopped_by = self._stopped_by, 0
        return signo

    def _take(self, which: int) -> bool:
        try:
            pid, status, usage = os.wait4(which, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            self.childless = which == -1
            return False
        if pid == self._command:
            self._note_command(status)
        if pid and not os.WIFSTOPPED(status):
            self._note_end(pid, usage)
        return pid != 0

    def _note_command(self, status: int) -> None:
        if os.WIFSTOPPED(status):
            self._stopped_by = os.WSTOPSIG(status)
            return
        self.end = End(status, self._now_s())
        self._on_exit()

    def _note_end(self, pid: int, usage: struct_rusage) -> None:
        if pid == self._witness.pid:
            self._witness.ended()
            return
        self.cpu_s += usage.ru_utime + usage.ru_stime
        self.max_rss_bytes = max(self.max_rss_bytes, usage.ru_maxrss * _BYTES_PER_MAXRSS)


def count_descendants(ancestor: int, proc: str | os.PathLike[str] = "/proc") -> int:
    """How many processes below `ancestor` are alive; zombies are not. 0 where /proc cannot be listed."""
    children: dict[int, list[int]] = {}
    try:
        entries = os.listdir(proc)
    except OSError:
        return 0
    for entry in entries:
        if entry.isdecimal() and (parent := _parent(f"{os.fspath(proc)}/{entry}/stat")):
            children.setdefault(parent, []).append(int(entry))
    found = [ancestor]
    for pid in found:
        found += children.get(pid, ())
    return len(found) - 1


def stop_like(signo: int) -> None:
    """Stop this process by `signo` as the command was stopped, and return when it has been continued.

    SIGSTOP does it where `signo` would not, because we ignore it. Only the main thread may call this.
    """
    if signo == signal.SIGSTOP or signal.getsignal(signo) == signal.SIG_IGN:
        os.kill(os.getpid(), signal.SIGSTOP)
        return
    os.kill(os.getpid(), signo)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signo,))
    signal.pthread_sigmask(signal.SIG_BLOCK, (signo,))


def _parent(stat: str) -> int:
    """The parent of a living process, 0 if it is dead or has gone."""
    try:
        with open(stat, "rb") as file:
            state, parent, *_ = file.read().rpartition(b")")[2].split()
    except (OSError, ValueError):
        return 0
    return 0 if state in (b"Z", b"X") else int(parent)
