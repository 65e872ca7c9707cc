"""In which phases one process was, and when."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from aipower.record.phases.lines import Mark

Path = tuple[str, ...]
"""The names of a phase and of those around it, the outermost first; empty outside of all phases."""
OUTSIDE: Path = ()
MAX_DEPTH = 32
"""A phase deeper than this counts as the one around it."""
MAX_OPEN = 4096
"""More open phases of one process are a mistake of the program: they are left out."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a process was in the same phases."""

    start_s: float
    end_s: float
    leaves: tuple[Path, ...]
    """The innermost phases: several where threads or tasks are in phases of their own, none outside of all."""


@dataclass(slots=True)
class _Open:
    path: Path
    parent: int
    began_s: float
    inner: int = 0
    """How many open phases are in it."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A phase that was left."""

    path: Path
    start_s: float
    end_s: float


class Teller:
    """One process that tells of its phases. Messages of one process come in order, but for its threads' races."""

    def __init__(self, began_s: float) -> None:
        self._open: dict[int, _Open] = {}
        self._leaves: tuple[Path, ...] = ()
        self._since_s = began_s
        self._done: deque[Stretch] = deque()

    def begin(self, mark: Mark) -> Path | None:
        """The path of the phase that begins; None where it is left out."""
        if mark.id in self._open or not mark.id or len(self._open) >= MAX_OPEN:
            return None
        around = self._open.get(mark.parent)
        path = around.path if around else OUTSIDE
        if len(path) < MAX_DEPTH:
            path = (*path, mark.name)
        if around:
            around.inner += 1
        self._open[mark.id] = _Open(path, mark.parent if around else 0, mark.at_s)
        self._change(mark.at_s)
        return path

    def end(self, mark: Mark) -> Visit | None:
        """The phase that ends; None where it never began."""
        phase = self._open.pop(mark.id, None)
        if phase is None:
            return None
        around = self._open.get(phase.parent)
        if around:
            around.inner -= 1
        self._change(mark.at_s)
        return Visit(phase.path, phase.began_s, max(mark.at_s, phase.began_s))

    def path_of(self, id_: int) -> Path:
        """The path of an open phase; empty for none."""
        phase = self._open.get(id_)
        return phase.path if phase else OUTSIDE

    def close(self, at_s: float) -> list[Visit]:
        """The process or the run has ended: what is open ends now."""
        visits = [Visit(phase.path, phase.began_s, max(at_s, phase.began_s)) for phase in self._open.values()]
        self._open.clear()
        self._change(at_s)
        return visits

    def stretches(self, start_s: float, end_s: float) -> list[Stretch]:
        """All that it was in from `start_s` to `end_s`, without a hole."""
        found = [_clipped(one, start_s, end_s) for one in self._between(start_s, end_s)]
        found = [one for one in found if one.end_s > one.start_s]
        first_s = found[0].start_s if found else end_s
        return [Stretch(start_s, first_s, ()), *found] if first_s > start_s else found

    def forget(self, before_s: float) -> None:
        """Nobody will ask for what was before."""
        while self._done and self._done[0].end_s <= before_s:
            self._done.popleft()

    def _between(self, start_s: float, end_s: float) -> Iterable[Stretch]:
        for one in self._done:
            if one.start_s >= end_s:
                return
            if one.end_s > start_s:
                yield one
        if self._since_s < end_s:
            yield Stretch(self._since_s, end_s, self._leaves)

    def _change(self, at_s: float) -> None:
        """From `at_s` on other phases are the innermost ones."""
        at_s = max(at_s, self._since_s)
        if at_s > self._since_s:
            self._done.append(Stretch(self._since_s, at_s, self._leaves))
            self._since_s = at_s
        self._leaves = tuple(sorted({phase.path for phase in self._open.values() if not phase.inner}))


def _clipped(one: Stretch, start_s: float, end_s: float) -> Stretch:
    return Stretch(max(one.start_s, start_s), min(one.end_s, end_s), one.leaves)


def around(path: Path) -> Iterable[Path]:
    """`path` and all phases around it; what is outside of all is only itself."""
    return (path[:depth] for depth in range(1, len(path) + 1)) if path else (OUTSIDE,)
