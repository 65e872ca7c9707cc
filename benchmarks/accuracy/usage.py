"""Who worked, as a driver or /proc would say it (science of A5): samples, whole percents, whole ticks."""

from __future__ import annotations

import bisect
import math
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aipower.model import ProcessId, Usage
from aipower.seams import Clock
from benchmarks.accuracy.truth import Steps
from benchmarks.accuracy.world import Holding, Segment, World

SAMPLE_S, SAMPLE_JITTER_S = 1 / 6, 0.005
"""The driver's process sampler: period and scatter."""
TICK_S = 0.01
"""CPU times in /proc are whole ticks."""
COLLECT_S = (0.001, 0.006)
"""What asking a driver for its processes takes (science of A7)."""


class Activity(Protocol):
    """Knows exactly who worked, and tells what an observer would be told."""

    def usage(self, start_s: float, end_s: float) -> Usage:
        """The answer to a question at `end_s` whose last was at `start_s`."""
        ...


class Source:
    """The source of usage of one device: asks an activity window by window."""

    def __init__(self, activity: Activity, clock: Clock, rng: random.Random) -> None:
        self._activity = activity
        self._clock = clock
        self._rng = rng
        self._since_s = clock.monotonic_s()

    def collect(self) -> Usage:
        """The usage since the last call."""
        self._clock.sleep(self._rng.uniform(*COLLECT_S))
        since_s, self._since_s = self._since_s, self._clock.monotonic_s()
        return self._activity.usage(since_s, self._since_s)


@dataclass(frozen=True, slots=True)
class Sample:
    """One look of the driver: who was on the engine last, and how busy it was since the look before."""

    at_s: float
    process: ProcessId | None
    busy: float


class SampledGpu:
    """A GPU whose driver names one process per sample."""

    def __init__(self, world: World, rng: random.Random, until_s: float) -> None:
        self._holdings = world.holdings
        self._samples = _sample(world.segments, rng, until_s)
        self._at_s = [sample.at_s for sample in self._samples]

    def samples(self, after_s: float, until_s: float) -> Sequence[Sample]:
        """All looks of the driver after `after_s`, up to `until_s`."""
        return self._samples[bisect.bisect_right(self._at_s, after_s) : bisect.bisect_right(self._at_s, until_s)]

    def holders(self, at_s: float) -> frozenset[ProcessId]:
        """Who holds a context at `at_s`."""
        return frozenset(h.process for h in self._holdings if h.start_s <= at_s < h.end_s)

    def usage(self, start_s: float, end_s: float) -> Usage:
        """Whole percents of each process over the samples of the window, times the time they cover."""
        samples = self.samples(start_s, end_s)
        percents: dict[ProcessId, float] = defaultdict(float)
        for sample in samples:
            if sample.process is not None:
                percents[sample.process] += 100 * sample.busy / len(samples)
        covered_s = SAMPLE_S * len(samples)
        busy_s = {who: covered_s * int(percent) / 100 for who, percent in percents.items() if int(percent)}
        holders = self.holders(end_s)
        return Usage(start_s, end_s, busy_s, 0.0, holders, samples=6 * (end_s - start_s), covered_s=covered_s)


class SlicedGpu:
    """A GPU in instances: each process has its slice, with three measures of activity that err by `noise`."""

    def __init__(
        self, activity: Mapping[ProcessId, Sequence[Steps]], holdings: Sequence[Holding], noise: Callable[[], float]
    ) -> None:
        self._activity = activity
        """Per process: slice-weighted activity (0 to 1) of SM, tensor cores and memory."""
        self._holdings = holdings
        self._noise = noise

    def usage(self, start_s: float, end_s: float) -> Usage:
        """Slice-weighted seconds of the three activities."""
        seconds = {
            who: tuple(course.between_j(start_s, end_s) * self._noise() for course in courses)
            for who, courses in self._activity.items()
        }
        holders = frozenset(h.process for h in self._holdings if h.start_s <= end_s < h.end_s)
        busy_s = {who: measures[0] for who, measures in seconds.items() if measures[0] > 0}
        activity = {who: seconds[who] for who in busy_s}
        return Usage(start_s, end_s, busy_s, 0.0, holders, activity=activity)


class CountedCpu:
    """One socket: exact CPU seconds, cut to ticks."""

    def __init__(self, cores: Mapping[ProcessId, Steps], cpus: int) -> None:
        self._cores = cores
        """Per process: busy logical CPUs."""
        self._cpus = cpus

    def usage(self, start_s: float, end_s: float) -> Usage:
        """Whole ticks of each process."""
        seconds = {
            who: TICK_S * (_ticks(course, end_s) - _ticks(course, start_s)) for who, course in self._cores.items()
        }
        busy_s = {who: busy for who, busy in seconds.items() if busy > 0}
        return Usage(start_s, end_s, busy_s, capacity_s=self._cpus * (end_s - start_s))


def _ticks(course: Steps, at_s: float) -> int:
    return math.floor(course.between_j(0.0, at_s) / TICK_S)


def _sample(segments: Sequence[Segment], rng: random.Random, until_s: float) -> list[Sample]:
    ends_s = [segment.end_s for segment in segments]
    busy = Steps([(0.0, 0.0), *(edge for s in segments for edge in ((s.start_s, 1.0), (s.end_s, 0.0)))])
    samples: list[Sample] = []
    last_s, phase_s = 0.0, rng.random() * SAMPLE_S
    for number in range(int(until_s / SAMPLE_S)):
        at_s = max(last_s + 0.001, phase_s + number * SAMPLE_S + rng.gauss(0, SAMPLE_JITTER_S))
        share = min(1.0, max(0.0, busy.between_j(last_s, at_s) / (at_s - last_s)))
        samples.append(Sample(at_s, _on_engine(segments, ends_s, at_s, rng) if share > 0 else None, share))
        last_s = at_s
    return samples


def _on_engine(
    segments: Sequence[Segment], ends_s: Sequence[float], at_s: float, rng: random.Random
) -> ProcessId | None:
    """One of those who run at `at_s`, else of those who ran last."""
    index = bisect.bisect_right(ends_s, at_s)
    if index == len(segments) or segments[index].start_s > at_s:
        index -= 1
    return rng.choice(segments[index].running) if index >= 0 else None
