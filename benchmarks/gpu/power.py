"""Mean power by the energy counter, over whole updates."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.gpu.figures import mean_and_error
from benchmarks.gpu.seams import Bench, SkipError

PAUSE_S = 0.002
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Edge:
    """A moment at which the counter moved, and what it shows since."""

    at_s: float
    energy_mj: int


@dataclass(frozen=True, slots=True)
class Power:
    """Mean power in watts and its standard error by the spread of parts of the time."""

    mean_w: float
    error_w: float


def next_edge(bench: Bench) -> Edge:
    """The counter's next move.

    Raises:
        SkipError: It does not move.
    """
    began_s = before_s = bench.clock.now_s()
    first_mj = bench.card.energy_mj()
    while before_s < began_s + PATIENCE_S:
        bench.clock.sleep(PAUSE_S)
        at_s = bench.clock.now_s()
        energy_mj = bench.card.energy_mj()
        if energy_mj != first_mj:
            return Edge((before_s + at_s) / 2, energy_mj)
        before_s = at_s
    raise SkipError(f"the energy counter did not move for {PATIENCE_S:.0f} s")


def between_w(first: Edge, last: Edge) -> float:
    """Mean power between two edges in watts."""
    return (last.energy_mj - first.energy_mj) / 1e3 / (last.at_s - first.at_s)


def measure(bench: Bench, seconds: float, parts: int = 5) -> Power:
    """The mean power of the next `seconds`, asleep but for the ends of the parts.

    Raises:
        SkipError: The counter does not move.
    """
    powers_w = []
    before = next_edge(bench)
    for _ in range(parts):
        bench.clock.sleep(seconds / parts)
        after = next_edge(bench)
        powers_w.append(between_w(before, after))
        before = after
    return Power(*mean_and_error(powers_w))
