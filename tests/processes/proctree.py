"""A made /proc in a folder, and a clock that stands still until it is told."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

BOOT = "0f0f0f0f-1111-2222-3333-444444444444"


@dataclass
class StillClock:
    """`monotonic_s` and `unix_s` move together."""

    now_s: float = 1000.0
    unix_offset_s: float = 1_700_000_000.0

    def monotonic_s(self) -> float:
        return self.now_s

    def unix_s(self) -> float:
        return self.unix_offset_s + self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def stat_bytes(
    pid: int,
    ppid: int = 1,
    comm: bytes = b"work",
    *,
    state: str = "S",
    own: int = 0,
    reaped: int = 0,
    started: int = 100,
    threads: int = 1,
    processor: int = 3,
) -> bytes:
    """A row as Linux writes it, 52 fields."""
    head = f"{state} {ppid} {pid} {pid} 0 -1 4194304 99 0 0 0 {own} 0 {reaped} 0 20 0 {threads} 0 {started}"
    tail = " 3133440 382 18446744073709551615" + " 0" * 12 + f" 17 {processor}" + " 0" * 13
    return str(pid).encode() + b" (" + comm + b") " + (head + tail + "\n").encode()


@dataclass
class ProcTree:
    """Writes what ProcFs reads."""

    root: Path
    uptime_s: float = 1000.0
    busy: int = 0
    cpus: int = 2
    busy_by_cpu: dict[int, int] = field(default_factory=dict)
    commands: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.write("sys/kernel/random/boot_id", BOOT + "\n")
        self.clocks()

    def write(self, name: str, text: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def clocks(
        self, *, busy: int | None = None, uptime_s: float | None = None, by_cpu: dict[int, int] | None = None
    ) -> None:
        """Sets the machine's busy ticks, those of each CPU (their sum is the machine's) and its uptime."""
        if by_cpu is not None:
            self.busy_by_cpu, busy = by_cpu, sum(by_cpu.values())
        self.busy = self.busy if busy is None else busy
        self.uptime_s = self.uptime_s if uptime_s is None else uptime_s
        numbers = self.busy_by_cpu or range(self.cpus)
        cores = "".join(f"cpu{i} {self.busy_by_cpu.get(i, 0)} 0 0 0 0 0 0 0 0 0\n" for i in numbers)
        self.write("stat", f"cpu  {self.busy} 0 0 500 7 0 0 11 0 0\n{cores}intr 5 0\nbtime 1700000000\n")
        self.write("uptime", f"{self.uptime_s:.2f} 1.00\n")

    def put(
        self,
        pid: int,
        ppid: int = 1,
        comm: bytes = b"work",
        *,
        state: str = "S",
        own: int = 0,
        reaped: int = 0,
        started: int = 100,
        threads: int = 1,
        processor: int = 3,
    ) -> None:
        """Makes the process, or changes it."""
        row = stat_bytes(
            pid,
            ppid,
            comm,
            state=state,
            own=own,
            reaped=reaped,
            started=started,
            threads=threads,
            processor=processor,
        )
        self.write(f"{pid}/stat", row)
        self.write(f"{pid}/cmdline", self.commands.get(pid, "").replace(" ", "\0"))

    def put_thread(self, pid: int, tid: int, own: int, processor: int) -> None:
        """Makes a thread of `pid`, or changes it."""
        self.write(f"{pid}/task/{tid}/stat", stat_bytes(tid, 1, own=own, processor=processor, threads=2))

    def drop(self, pid: int) -> None:
        shutil.rmtree(self.root / str(pid))

    def open_file(self, pid: int, fd: int, target: str) -> None:
        folder = self.root / str(pid) / "fd"
        folder.mkdir(exist_ok=True)
        (folder / str(fd)).symlink_to(target)

    def namespace(self, link: str) -> None:
        folder = self.root / "self" / "ns"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pid").symlink_to(link)
