"""Reads /proc with few system calls: what 500 processes every few seconds may cost."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STATUS_BYTES = 8192
ROW_BYTES = 2048
"""A stat row has 52 numbers of at most 20 digits and a name of at most 64 bytes."""
_CHUNK_BYTES = 65536
_STAT_FIELDS = 37
"""From `state` to `processor`; what follows is not needed."""
_CPU_TIMES = 8
"""user, nice, system, idle, iowait, irq, softirq, steal; the guest times after them are inside user and nice."""
GONE = (FileNotFoundError, NotADirectoryError, ProcessLookupError, PermissionError)
"""How a process says that it has left, or that it is hidden from us (mount option hidepid)."""


class StatRow(Struct, frozen=True):
    """One /proc/PID/stat, as far as the accounts need it. Times are clock ticks, rounded down by the kernel."""

    pid: int
    ppid: int
    comm: str
    state: str
    utime: int
    stime: int
    cutime: int
    """User time of the children that this process has waited for, and of theirs."""
    cstime: int
    threads: int
    started_ticks: int
    processor: int

    @property
    def own_ticks(self) -> int:
        """CPU time of all its threads, ended ones too."""
        return self.utime + self.stime

    @property
    def reaped_ticks(self) -> int:
        """CPU time of the children that it has waited for, and of all that those had waited for."""
        return self.cutime + self.cstime

    @property
    def ended(self) -> bool:
        """True for a zombie. A leader that left its other threads at work shows Z too and has not ended."""
        return self.state == "Z" and self.threads <= 1


class CpuTotals(Struct, frozen=True):
    """CPU seconds of the whole machine since boot."""

    busy_s: float
    """user + nice + system + irq + softirq; a guest's time is inside user, stolen time is not ours."""
    total_s: float
    """All that the cores could have done: busy, idle, waiting and stolen."""
    cpus: int
    """Cores online now."""
    busy_by_cpu_s: Mapping[int, float] = field(default_factory=dict)
    """`busy_s` of each logical CPU that is online, by its number."""


def parse_stat(data: bytes) -> StatRow | None:
    """The row that `data` holds; None if it is garbage or of a process that is being removed.

    The name may hold any bytes, so the last ')' ends it. Fields are numbered as in proc(5), less three.
    """
    left, right = data.find(b"("), data.rfind(b")")
    fields = data[right + 1 :].split(None, _STAT_FIELDS)
    if not 0 < left < right or len(fields) < _STAT_FIELDS:
        return None
    try:
        counts = [int(fields[i]) for i in (11, 12, 13, 14, 17, 19, 36)]
        pid, ppid = int(data[:left]), int(fields[1])
    except ValueError:
        return None
    state = fields[0].decode("ascii", errors="replace")
    # Once reaped, a row may still be read for an instant: X, or no thread left. Its parent has its time already.
    if min(pid, ppid, *counts) < 0 or state in {"X", "x"} or counts[4] == 0:
        return None
    return StatRow(pid, ppid, data[left + 1 : right].decode(errors="replace"), state, *counts)


def _busy_ticks(times: Sequence[int]) -> int:
    """Ticks of user + nice + system + irq + softirq."""
    return sum(times[:3]) + sum(times[5:7])


class ProcFs:
    """The files under one /proc. Of a process that has left, everything is None or empty.

    Every method lets other errors of the operating system (no descriptor left, for example) pass as OSError.
    """

    __slots__ = ("_root", "ticks_per_s")

    def __init__(self, root: Path = Path("/proc"), ticks_per_s: int = _TICKS_PER_S) -> None:
        self._root = os.fspath(root)
        self.ticks_per_s = ticks_per_s

    @property
    def root(self) -> str:
        """Where it is mounted."""
        return self._root

    def pids(self) -> list[int]:
        """All process ids, ascending."""
        names = os.listdir(self._root)  # noqa: PTH208 - hot path: no Path per entry
        return sorted(int(name) for name in names if name.isdecimal())

    def listing(self) -> dict[int, int]:
        """All process ids, each with the inode of its folder, which the next process of that pid has not."""
        with os.scandir(self._root) as entries:
            return {int(entry.name): entry.inode() for entry in entries if entry.name.isdecimal()}

    def token(self, pid: int) -> tuple[int, int] | None:
        """Inode and birth of the folder of `pid`: while they stay it is the same process. None if it has left.

        This costs a third of `stat`. The kernel may drop an unused folder and make it anew for the same process.
        """
        try:
            status = os.stat(f"{self._root}/{pid}")  # noqa: PTH116 - hot path
        except GONE:
            return None
        return status.st_ino, status.st_ctime_ns

    def stat(self, pid: int) -> StatRow | None:
        """The row of `pid`; None if it has left or its row is garbage."""
        return parse_stat(self._read(f"{pid}/stat"))

    def threads(self, pid: int) -> list[int]:
        """The ids of the threads of `pid`, ascending."""
        return sorted(int(name) for name in self._names(f"{pid}/task") if name.isdecimal())

    def thread_stat(self, pid: int, tid: int) -> StatRow | None:
        """The row of one thread of `pid`, its times its own; None if it has left or its row is garbage."""
        return parse_stat(self._read(f"{pid}/task/{tid}/stat"))

    def cgroups(self, pid: int) -> str:
        """/proc/PID/cgroup, a line for each hierarchy; empty if the process has left."""
        return self._read_all(f"{pid}/cgroup").decode(errors="surrogateescape")

    def children(self, pid: int) -> list[int]:
        """Process ids of the children of `pid`, ascending: from task/*/children, or by asking everyone.

        Not every kernel is built with the `children` files, and they may miss a child while another ends.
        """
        tasks = self._names(f"{pid}/task")
        if tasks and os.path.exists(f"{self._root}/{pid}/task/{tasks[0]}/children"):  # noqa: PTH110 - hot path
            return sorted(
                int(child)
                for task in tasks
                for child in self._read_all(f"{pid}/task/{task}/children").split()
                if child.isdigit()
            )
        rows = (self.stat(other) for other in self.pids())
        return [row.pid for row in rows if row is not None and row.ppid == pid]

    def cmdline(self, pid: int, limit: int = 200) -> str:
        """The first `limit` characters of the command line, for its own user's eyes only: secrets live there."""
        data = self._read(f"{pid}/cmdline", 4 * limit)
        return data.replace(b"\0", b" ").decode(errors="replace").strip()[:limit]

    def uid(self, pid: int) -> int | None:
        """The effective user id of `pid`, also where the process hides its other files."""
        try:
            return os.stat(f"{self._root}/{pid}").st_uid  # noqa: PTH116 - hot path
        except GONE:
            return None

    def namespace_pids(self, pid: int) -> tuple[int, ...]:
        """The numbers of `pid` in its PID namespaces, ours first; empty where it has gone."""
        for line in self._read(f"{pid}/status", _STATUS_BYTES).splitlines():
            if line.startswith(b"NSpid:"):
                return tuple(int(word) for word in line.split()[1:])
        return ()

    def open_files(self, pid: int) -> Iterator[str]:
        """What the descriptors of `pid` point to; nothing where we may not look."""
        for name in self._names(f"{pid}/fd"):
            target = self._link(f"{pid}/fd/{name}")
            if target:
                yield target

    def pid_namespace(self) -> str:
        """Our own PID namespace, like `pid:[4026531836]`; empty where the kernel does not say."""
        return self._link("self/ns/pid")

    def own_pid(self) -> int | None:
        """Our own pid as this /proc names it; None where it is another namespace's, in which we are not."""
        try:
            return int(os.readlink(f"{self._root}/self"))  # noqa: PTH115 - no Path on this class's ways
        except (OSError, ValueError):
            return None

    def boot_id(self) -> str:
        """The kernel's id of this boot; empty where it does not say."""
        return self._read("sys/kernel/random/boot_id").decode("ascii", errors="replace").strip()

    def uptime_ticks(self) -> int:
        """Now, on the clock of `started_ticks`; 0 where /proc/uptime cannot be read."""
        first = self._read("uptime").partition(b" ")[0]
        try:
            return int(float(first) * self.ticks_per_s)
        except (ValueError, OverflowError):
            return 0

    @property
    def btime(self) -> int:
        """When the machine started, in whole seconds since 1970.

        Raises:
            ValueError: /proc/stat does not say.
        """
        for line in self._read_all("stat").splitlines():
            if line.startswith(b"btime "):
                return int(line.split()[1])
        raise ValueError("no btime in /proc/stat")

    def cpu_totals(self) -> CpuTotals:
        """What all cores did since boot.

        Raises:
            ValueError: /proc/stat is garbage.
        """
        lines = [line.split() for line in self._read_all("stat").splitlines() if line.startswith(b"cpu")]
        if not lines or len(lines[0]) <= _CPU_TIMES:
            raise ValueError("no CPU times in /proc/stat")
        times = [int(word) for word in lines[0][1 : 1 + _CPU_TIMES]]
        by_cpu = {
            int(line[0][3:]): _busy_ticks([int(word) for word in line[1 : 1 + _CPU_TIMES]]) / self.ticks_per_s
            for line in lines[1:]
            if line[0][3:].isdigit()
        }
        cpus = max(1, len(lines) - 1)
        return CpuTotals(_busy_ticks(times) / self.ticks_per_s, sum(times) / self.ticks_per_s, cpus, by_cpu)

    def _read(self, name: str, size: int = ROW_BYTES) -> bytes:
        """The first `size` bytes at most: the kernel gives a small file in one read."""
        try:
            fd = os.open(f"{self._root}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except GONE:
            return b""
        try:
            return os.read(fd, size)
        except GONE:
            return b""
        finally:
            os.close(fd)

    def _read_all(self, name: str) -> bytes:
        try:
            fd = os.open(f"{self._root}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except GONE:
            return b""
        try:
            return b"".join(iter(lambda: os.read(fd, _CHUNK_BYTES), b""))
        except GONE:
            return b""
        finally:
            os.close(fd)

    def _names(self, name: str) -> list[str]:
        try:
            return os.listdir(f"{self._root}/{name}")  # noqa: PTH208 - hot path: no Path per entry
        except GONE:
            return []

    def _link(self, name: str) -> str:
        try:
            return os.readlink(f"{self._root}/{name}")  # noqa: PTH115 - hot path
        except OSError:  # a link of a namespace that we may not see fails in more ways than a file
            return ""
