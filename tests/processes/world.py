"""A simulated kernel: processes fork, burn, exit, are reaped and reparented. Time is whole clock ticks."""

from __future__ import annotations

from dataclasses import dataclass, field

from aipower.processes.procfs import StatRow


@dataclass
class Proc:
    pid: int
    ppid: int
    started: int
    own: int = 0
    reaped: int = 0
    zombie: bool = False
    subreaper: bool = False


@dataclass
class World:
    """Process 1 reaps what its children leave behind; it never ends."""

    procs: dict[int, Proc] = field(default_factory=lambda: {1: Proc(1, 0, 0, subreaper=True)})
    now: int = 0
    next_pid: int = 2
    truth: int = 0
    """All ticks that were ever burned."""
    births: int = 1

    def living(self) -> list[Proc]:
        return [p for p in self.procs.values() if not p.zombie]

    def fork(self, parent: int, pid: int | None = None) -> int:
        if pid is None:
            pid = self.next_pid
        else:
            self.now += 1  # the kernel hands out no pid twice within one tick
        self.next_pid = max(self.next_pid, pid) + 1
        self.procs[pid] = Proc(pid, parent, self.now)
        self.births += 1
        return pid

    def burn(self, pid: int, ticks: int) -> None:
        self.procs[pid].own += ticks
        self.truth += ticks
        self.now += ticks

    def exit(self, pid: int) -> None:
        heir = self._subreaper_above(pid)
        self.procs[pid].zombie = True
        for child in self.procs.values():
            if child.ppid == pid:
                child.ppid = heir

    def reap(self, pid: int) -> None:
        """The parent of the zombie `pid` waits for it."""
        dead = self.procs.pop(pid)
        self.procs[dead.ppid].reaped += dead.own + dead.reaped

    def row(self, pid: int) -> StatRow | None:
        p = self.procs.get(pid)
        if p is None:
            return None
        utime, cutime = p.own // 3, p.reaped // 2
        state = "Z" if p.zombie else "R"
        return StatRow(pid, p.ppid, f"p{pid}", state, utime, p.own - utime, cutime, p.reaped - cutime, 1, p.started, 0)

    def zombies(self) -> list[Proc]:
        return [p for p in self.procs.values() if p.zombie]

    def _subreaper_above(self, pid: int) -> int:
        above = self.procs[pid].ppid
        while not self.procs[above].subreaper or self.procs[above].zombie:
            above = self.procs[above].ppid
        return above
