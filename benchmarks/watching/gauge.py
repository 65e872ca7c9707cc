"""What a program and all processes below it use, by the kernel's own clock."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Usage:
    """Counters of a program at one moment."""

    at_s: float
    cpu_s: float
    """Of all its processes and threads, also of children that have ended and were waited for."""
    switches: Mapping[int, int]
    """Context switches of each living thread so far, voluntary or not."""

    def switches_since(self, before: Usage) -> int:
        """Those of the threads that live now; what ended meanwhile is lost."""
        return sum(count - before.switches.get(thread, 0) for thread, count in self.switches.items())


@dataclass(frozen=True, slots=True)
class Memory:
    """What a program holds, in megabytes, and over how many processes."""

    processes: int
    rss_mb: float
    pss_mb: float
    """Shared pages are divided among those that share them: sums of it count nothing twice."""


def family(pid: int) -> list[int]:
    """`pid` and all processes below it."""
    found = [pid]
    for each in found:
        found += list(_children(each))
    return found


def usage(pid: int) -> Usage:
    """What `pid` and its family have used so far."""
    members = family(pid)
    cpu_s = sum(_cpu_s(each) + _reaped_s(each) for each in members)
    return Usage(time.monotonic(), cpu_s, {thread: count for each in members for thread, count in _switches(each)})


def memory(pid: int) -> Memory:
    """What `pid` and its family hold now."""
    members = family(pid)
    sizes = [_rollup(each) for each in members]
    return Memory(len(members), sum(size["Rss"] for size in sizes) / 1e3, sum(size["Pss"] for size in sizes) / 1e3)


def _children(pid: int) -> Iterator[int]:
    for task in _tasks(pid):
        yield from map(int, _read(task / "children").split())


def _tasks(pid: int) -> Sequence[Path]:
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except OSError:
        return []


def _read(path: Path) -> str:
    """The text of a file of a process, empty once that has left."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _cpu_s(pid: int) -> float:
    """The process's CPU clock: nanoseconds, with threads that have ended; 0 once it has left."""
    clock = ctypes.c_int()
    if _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)) != 0:
        return 0.0
    try:
        return time.clock_gettime(clock.value)
    except OSError:
        return 0.0


def _reaped_s(pid: int) -> float:
    """What its ended children have used, in steps of a clock tick."""
    fields = _read(PROC / str(pid) / "stat").rpartition(")")[2].split()
    return sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def _switches(pid: int) -> Iterator[tuple[int, int]]:
    for task in _tasks(pid):
        lines = _read(task / "status").splitlines()
        yield int(task.name), sum(int(line.split()[1]) for line in lines if "ctxt_switches:" in line)


def _rollup(pid: int) -> dict[str, int]:
    """Kilobytes (1024 bytes) of smaps_rollup, as thousands of bytes."""
    words = [line.split() for line in _read(PROC / str(pid) / "smaps_rollup").splitlines()[1:]]
    found = {word[0].rstrip(":"): int(word[1]) * 1024 // 1000 for word in words}
    return {"Rss": 0, "Pss": 0, **found}
