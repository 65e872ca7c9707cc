"""From what each process does to what the device draws, who is on its engine, and what each process used."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from aipower.model import ProcessId
from benchmarks.accuracy.truth import Power, Steps

Combine = Callable[[Mapping[ProcessId, float]], Mapping[ProcessId, float]]
"""From what each running process would draw alone to what each is to be charged with while all of them run."""


def process(pid: int) -> ProcessId:
    """A process of the simulated machine."""
    return ProcessId("simulated", pid, 100 * pid)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A process on the engine."""

    process: ProcessId
    start_s: float
    end_s: float
    watts: float
    """Above idle and context."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A process with a context."""

    process: ProcessId
    start_s: float
    end_s: float
    memory_gb: float = 10.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A time in which the same processes run."""

    start_s: float
    end_s: float
    running: tuple[ProcessId, ...]


@dataclass(frozen=True, slots=True)
class World:
    """A device with its exact account."""

    power: Power
    segments: Sequence[Segment]
    """Where somebody runs, in order."""
    holdings: Sequence[Holding]
    joules: Mapping[ProcessId, float]
    """Active energy and an equal share of the context's step."""


def additive(alone_w: Mapping[ProcessId, float]) -> Mapping[ProcessId, float]:
    """Each draws what it draws alone."""
    return alone_w


def compose(
    idle_w: float,
    step_w: float,
    stretches: Iterable[Stretch],
    holdings: Sequence[Holding],
    combine: Combine = additive,
) -> World:
    """The world of `stretches` on a device that idles at `idle_w`, and `step_w` higher while a context is held."""
    joules: dict[ProcessId, float] = dict.fromkeys((holding.process for holding in holdings), 0.0)
    steps, segments = _run(stretches, combine, joules)
    context = _hold(holdings, step_w, joules)
    return World(_overlay(idle_w, steps, context), segments, holdings, joules)


def _run(
    stretches: Iterable[Stretch], combine: Combine, joules: dict[ProcessId, float]
) -> tuple[list[tuple[float, float]], list[Segment]]:
    """Power of work as steps, and who ran when; adds to `joules`."""
    steps: list[tuple[float, float]] = []
    segments: list[Segment] = []
    for start_s, end_s, running in _pieces(stretches):
        charged_w = combine(running)
        steps.append((start_s, sum(charged_w.values())))
        for one, watts in charged_w.items():
            joules[one] = joules.get(one, 0.0) + watts * (end_s - start_s)
        if running:
            segments.append(Segment(start_s, end_s, tuple(running)))
    if segments:
        steps.append((segments[-1].end_s, 0.0))
    return steps, segments


def _pieces(stretches: Iterable[Stretch]) -> Iterator[tuple[float, float, Mapping[ProcessId, float]]]:
    """From one change to the next: start, end, and the watts of each who runs, which change after each piece."""
    changes: list[tuple[float, ProcessId, float | None]] = []
    for stretch in stretches:
        changes.append((stretch.start_s, stretch.process, stretch.watts))
        changes.append((stretch.end_s, stretch.process, None))
    changes.sort(key=lambda change: (change[0], change[2] is not None))
    running: dict[ProcessId, float] = {}
    since_s = 0.0
    for at_s, who, watts in changes:
        if at_s > since_s:
            yield since_s, at_s, running
            since_s = at_s
        if watts is None:
            running.pop(who, None)
        else:
            running[who] = watts


def _hold(holdings: Iterable[Holding], step_w: float, joules: dict[ProcessId, float]) -> list[tuple[float, float]]:
    """Power of contexts as steps; adds each holder's equal share to `joules`."""
    edges = sorted({edge for holding in holdings for edge in (holding.start_s, holding.end_s)})
    steps: list[tuple[float, float]] = []
    for start_s, end_s in itertools.pairwise(edges):
        holders = [h.process for h in holdings if h.start_s <= start_s and h.end_s >= end_s]
        steps.append((start_s, step_w if holders else 0.0))
        for holder in holders:
            joules[holder] += step_w * (end_s - start_s) / len(holders)
    if edges:
        steps.append((edges[-1], 0.0))
    return steps


def _overlay(idle_w: float, one: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]]) -> Steps:
    """The sum of two courses over `idle_w`."""
    marked = sorted([(at, 0, w) for at, w in one] + [(at, 1, w) for at, w in other], key=lambda mark: mark[0])
    now_w = [0.0, 0.0]
    steps = [(0.0, idle_w)]
    for at_s, which, watts in marked:
        now_w[which] = watts
        steps.append((at_s, idle_w + now_w[0] + now_w[1]))
    return Steps(steps)
