"""A simulated program: what it tells of its phases, what it draws, and what each phase has truly used."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aipower.model import ProcessId
from benchmarks.accuracy.world import Stretch, process

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A time in which a process does one thing."""

    start_s: float
    end_s: float
    watts: float
    """Above idle and context."""
    leaves: tuple[Path, ...]


class Thread:
    """One thread of a program, as it is written down while it runs."""

    def __init__(self, pid: int, at_s: float, first_id: int = 1) -> None:
        self.pid = pid
        self.now_s = at_s
        self.lines: list[tuple[float, bytes]] = []
        self.work: list[tuple[float, float, float, Path]] = []
        """Start, end, watts and innermost phase of all that it did."""
        self._open: list[tuple[int, str]] = []
        self._next_id = first_id

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What is done inside is done in a phase."""
        id_, parent = self._next_id, self._open[-1][0] if self._open else 0
        self._next_id += 1
        self._tell(f"B {self._now_ns} {self.pid} {id_} {parent} {name}")
        self._open.append((id_, name))
        yield
        self._open.pop()
        self._tell(f"E {self._now_ns} {self.pid} {id_}")

    def do(self, seconds: float, watts: float) -> None:
        """Work for so long at so many watts."""
        path = tuple(name for _, name in self._open)
        self.work.append((self.now_s, self.now_s + seconds, watts, path))
        self.now_s += seconds

    @property
    def _now_ns(self) -> int:
        return round(self.now_s * 1e9)

    def _tell(self, line: str) -> None:
        self.lines.append((self.now_s, line.encode() + b"\n"))


@dataclass(frozen=True, slots=True)
class Program:
    """A process of one or more threads on one device."""

    threads: Sequence[Thread]
    tells: bool = True
    device: int = 0
    pieces: list[Piece] = field(default_factory=list)

    @property
    def process(self) -> ProcessId:
        """Who it is."""
        return process(self.threads[0].pid)

    @property
    def end_s(self) -> float:
        """When its last thread ends."""
        return max(thread.now_s for thread in self.threads)

    def swept(self) -> list[Piece]:
        """What it did from change to change, its threads together."""
        if not self.pieces:
            self.pieces.extend(_sweep([one for thread in self.threads for one in thread.work]))
        return self.pieces

    def stretches(self) -> list[Stretch]:
        """When it was on the engine."""
        return [Stretch(self.process, one.start_s, one.end_s, one.watts) for one in self.swept() if one.watts > 0]

    def lines(self) -> list[tuple[float, bytes]]:
        """What it tells, in order of time."""
        told = [line for thread in self.threads for line in thread.lines] if self.tells else []
        return sorted(told, key=lambda line: line[0])


def _sweep(work: Sequence[tuple[float, float, float, Path]]) -> Iterator[Piece]:
    changes: dict[float, list[tuple[int, float, Path]]] = defaultdict(list)
    for start_s, end_s, watts, path in work:
        changes[start_s].append((1, watts, path))
        changes[end_s].append((-1, watts, path))
    doing: list[tuple[float, Path]] = []
    since_s = 0.0
    for at_s in sorted(changes):
        if doing and at_s > since_s:
            leaves = tuple(sorted({path for _, path in doing if path}))
            yield Piece(since_s, at_s, sum(watts for watts, _ in doing), leaves)
        for step, watts, path in changes[at_s]:
            if step > 0:
                doing.append((watts, path))
            else:
                doing.remove((watts, path))
        since_s = at_s


def truths_j(
    programs: Iterable[Program], context_w: Mapping[ProcessId, float], span: tuple[float, float]
) -> dict[Path, float]:
    """The joules of each phase of all programs, those within it included, and of () for what is outside of all."""
    joules: dict[Path, float] = defaultdict(float)
    for program in programs:
        held_w = context_w.get(program.process, 0.0)
        pieces = program.swept()
        inside_j = 0.0
        for one in pieces:
            energy_j = (one.watts + held_w) * (one.end_s - one.start_s)
            inside_j += held_w * (one.end_s - one.start_s)
            for leaf in one.leaves if program.tells and one.leaves else ((),):
                share_j = energy_j / (len(one.leaves) if program.tells and one.leaves else 1)
                for depth in range(1, len(leaf) + 1) if leaf else (0,):
                    joules[leaf[:depth]] += share_j
        joules[()] += held_w * (span[1] - span[0]) - inside_j
    return dict(joules)
