"""In which phases one process was, and when."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from aipower.record.phases.lines import Mark

Path = tuple[str, ...]
"""The names of a phase and of those around it, the outermost first; empty outside of all phases."""
OUTSIDE: Path = ()
MAX_DEPTH = 32
"""A phase deeper than this counts as the one around it."""
MAX_OPEN = 4096
"""More open phases of one process are a mistake of the program: they are left out."""

MAX_STRETCHES = 20_000
"""Remembered of one process: of more in half a minute the oldest count as outside of all phases."""


class Stretch(NamedTuple):
    """A time in which a process was in the same phases."""

    start_s: float
    end_s: float
    leaves: tuple[Path, ...]
    """The innermost phases: several where threads or tasks are in phases of their own, none outside of all."""


class _Open(Struct):
    path: Path
    parent: int
    began_s: float
    counted: bool
    """False where it goes for the phase around it."""
    inner: int = 0
    """How many open phases are in it."""


class Visit(Struct, frozen=True):
    """A phase that was left."""

    path: Path
    start_s: float
    end_s: float


class Teller:
    """One process that tells of its phases. Messages of one process come in order, but for its threads' races."""

    def __init__(self, began_s: float) -> None:
        self._open: dict[int, _Open] = {}
        self._innermost: dict[Path, int] = {}
        """The open phases that no other is in, and how many of each there are."""
        self._leaves: tuple[Path, ...] = ()
        self._since_s = began_s
        self._done: deque[Stretch] = deque(maxlen=MAX_STRETCHES)
        self.version = 0
        """Changes with all that is told."""

    def begins_again(self, mark: Mark) -> bool:
        """True where the phase of `mark` is open, but not by the same message: another process has the pid now."""
        phase = self._open.get(mark.id)
        return phase is not None and phase.began_s != mark.at_s

    def begin(self, mark: Mark, *, counted: bool = True) -> Path | None:
        """The path of the phase that begins; None where it is left out, or only goes for the one around it."""
        if mark.id in self._open or not mark.id or len(self._open) >= MAX_OPEN:
            return None
        around = self._open.get(mark.parent)
        path = around.path if around else OUTSIDE
        counted = counted and len(path) < MAX_DEPTH
        if counted:
            path = (*path, mark.name)
        if around:
            around.inner += 1
            if around.inner == 1:
                self._leave(around.path)
        self._open[mark.id] = _Open(path, mark.parent if around else 0, mark.at_s, counted)
        self._enter(path)
        self._change(mark.at_s)
        return path if counted else None

    def end(self, mark: Mark) -> Visit | None:
        """The phase that ends; None where it never began, or went for the one around it."""
        phase = self._open.pop(mark.id, None)
        if phase is None:
            return None
        if not phase.inner:
            self._leave(phase.path)
        around = self._open.get(phase.parent)
        if around and around.inner:
            around.inner -= 1
            if not around.inner:
                self._enter(around.path)
        self._change(mark.at_s)
        return Visit(phase.path, phase.began_s, max(mark.at_s, phase.began_s)) if phase.counted else None

    def path_of(self, id_: int) -> Path:
        """The path of an open phase; empty for none."""
        phase = self._open.get(id_)
        return phase.path if phase else OUTSIDE

    def close(self, at_s: float) -> list[Visit]:
        """The process or the run has ended: what is open ends now."""
        visits = [
            Visit(phase.path, phase.began_s, max(at_s, phase.began_s))
            for phase in self._open.values()
            if phase.counted
        ]
        self._open.clear()
        self._innermost.clear()
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

    def _between(self, start_s: float, end_s: float) -> list[Stretch]:
        """Those that end after `start_s` and begin before `end_s`: of late, so they are looked for from the end."""
        found = [Stretch(self._since_s, end_s, self._leaves)] if self._since_s < end_s else []
        for one in reversed(self._done):
            if one.end_s <= start_s:
                break
            if one.start_s < end_s:
                found.append(one)
        return found[::-1]

    def _enter(self, path: Path) -> None:
        if path:
            self._innermost[path] = self._innermost.get(path, 0) + 1

    def _leave(self, path: Path) -> None:
        if self._innermost.get(path, 0) > 1:
            self._innermost[path] -= 1
        else:
            self._innermost.pop(path, None)

    def _change(self, at_s: float) -> None:
        """From `at_s` on other phases are the innermost ones."""
        self.version += 1
        if at_s > self._since_s:
            self._done.append(Stretch(self._since_s, at_s, self._leaves))
            self._since_s = at_s
        self._leaves = tuple(sorted(self._innermost)) if len(self._innermost) > 1 else tuple(self._innermost)


def _clipped(one: Stretch, start_s: float, end_s: float) -> Stretch:
    return Stretch(max(one.start_s, start_s), min(one.end_s, end_s), one.leaves)


def around(path: Path) -> Iterable[Path]:
    """`path` and all phases around it; what is outside of all is only itself."""
    return (path[:depth] for depth in range(1, len(path) + 1)) if path else (OUTSIDE,)
