"""The sampler against a model of the driver's ring: nothing lost, nothing twice, whatever the pace of polls."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.sampler import UtilizationSampler
from sensors.nvml.standin import FakeClock, Row, Standin, fails

SIXTH_S = 1 / 6
RING_S = 10.0
Work = Callable[[int], tuple[int, float]]
"""Who works in sample number k (0: nobody), and how many percent of it."""


@dataclass(slots=True)
class Sample:
    """One look of the driver at the engines."""

    stamp_us: int
    pid: int
    percent: float


@dataclass(slots=True)
class Ring:
    """Keeps the samples of ten seconds, stamped by the wall clock, each of one process; shows them `late_s` later."""

    clock: FakeClock
    work: Work
    period_s: float = SIXTH_S
    late_s: float = 0.0
    first_s: float = 0.0
    samples: deque[Sample] = field(default_factory=deque)
    true_s: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    taken: int = 0

    def look(self) -> None:
        """Take all samples that are due."""
        while (at_s := self.first_s + self.taken * self.period_s) <= self.clock.unix_s() - self.late_s:
            pid, percent = self.work(self.taken)
            self.samples.append(Sample(round(at_s * 1e6), pid, percent))
            if pid:
                self.true_s[pid] += percent / 100 * self.period_s
            self.taken += 1
        while len(self.samples) > round(RING_S / self.period_s):
            self.samples.popleft()

    def answer(self, _handle: object, seen_us: int) -> list[Row]:
        """A row for each process: its own latest stamp, its share of all samples after `seen_us`, whole percents."""
        self.look()
        news = [sample for sample in self.samples if sample.stamp_us > seen_us]
        rows = [self._row(pid, news) for pid in sorted({sample.pid for sample in news if sample.pid})]
        return rows or fails(6)()  # the driver's word for idleness

    @staticmethod
    def _row(pid: int, news: Sequence[Sample]) -> Row:
        own = [sample for sample in news if sample.pid == pid]
        share = sum(sample.percent for sample in own) / len(news)
        return Row(pid, int(share + 1e-9), own[-1].stamp_us)


def busy_s(ring: Ring, polls: Sequence[float]) -> dict[int, float]:
    """What the sampler finds in `polls`, given as the seconds before each."""
    utilization = {"nvmlDeviceGetProcessUtilization": ring.answer, "nvmlDeviceGetProcessesUtilizationInfo": fails(3)}
    subject = UtilizationSampler(Driver(Standin({**utilization})), 0, ring.clock)
    found: dict[int, float] = defaultdict(float)
    for pause_s in polls:
        ring.clock.sleep(pause_s)
        for part in subject.new_work():
            found[part.pid] += part.busy_s
    return found


def at_random(seed: int, percents: Sequence[float], *, on: float = 0.6) -> Work:
    """Spells of work and of idleness of 4 to 24 samples; each sample of work names one of three processes."""
    spell = 4 + seed % 21

    def work(number: int) -> tuple[int, float]:
        if random.Random(f"{seed} {number // spell}").random() > on:
            return 0, 0.0
        chance = random.Random(f"{seed} {number}")
        return chance.choice((1, 2, 3)), chance.choice(percents)

    return work


def a_ring(work: Work, period_s: float = SIXTH_S, late_s: float = 0.0, phase: float = 0.5) -> Ring:
    clock = FakeClock()
    return Ring(clock, work, period_s, late_s, clock.unix_s() + phase * period_s)


PACES = st.lists(st.floats(0.2, 9.5), min_size=1, max_size=40)


@settings(max_examples=60)
@given(st.integers(0, 10_000), PACES, st.floats(0, 1), st.sampled_from([(100.0,), (7.0, 31.0, 100.0)]))
def test_every_sample_of_the_ring_counts_once(
    seed: int, polls: list[float], phase: float, percents: tuple[float, ...]
) -> None:
    ring = a_ring(at_random(seed, percents), phase=phase)
    found = busy_s(ring, polls)
    # Whole percents of the time since the cursor, which trails by up to 2 s more; a sample that the start cuts; and
    # one for each time that the cursor has followed the clock through idleness.
    rounding_s = sum(0.01 * (pause_s + 2.0) for pause_s in polls)
    cut_s = SIXTH_S * (1 + 0.1 * len(polls))
    for pid in (1, 2, 3):
        assert abs(found[pid] - ring.true_s[pid]) <= rounding_s + cut_s
    assert sum(found.values()) <= sum(polls) + 1e-6


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.lists(st.floats(0.2, 12.0), min_size=1, max_size=40), st.floats(0, 1))
def test_one_process_at_full_work_has_all_the_time(seed: int, polls: list[float], phase: float) -> None:
    """Whatever the period and lateness of samples, no second counts twice, and none is lost but at the edges."""
    chance = random.Random(seed)
    period_s, late_s = chance.choice((1.0, SIXTH_S, 0.139)), chance.choice((0.0, 0.0, 0.7))
    ring = a_ring(lambda _: (1, 100.0), period_s, late_s, phase)
    found = busy_s(ring, polls)
    edges_s = late_s + period_s * (2 + sum(pause_s > RING_S - 2 * late_s for pause_s in polls))
    assert sum(polls) - edges_s <= found[1] <= sum(polls) + 1e-3


def mean_error(seeds: range, period_s: float, late_s: float, percents: tuple[float, ...]) -> float:
    """Error of the sum over many runs of two minutes, relative to the truth."""
    found_s = true_s = 0.0
    for seed in seeds:
        chance = random.Random(seed)
        ring = a_ring(at_random(seed, percents), period_s, late_s, chance.random())
        polls = [1.0 + 0.1 * chance.random() for _ in range(114)]
        found_s += sum(busy_s(ring, polls).values())
        true_s += sum(ring.true_s.values())
    return found_s / true_s - 1


@pytest.mark.parametrize(("period_s", "late_s"), [(SIXTH_S, 0.0), (0.139, 0.0), (1.0, 0.0), (SIXTH_S, 0.7)])
@pytest.mark.parametrize("percents", [(100.0,), (7.0, 31.0, 100.0)])
def test_there_is_no_bias(period_s: float, late_s: float, percents: tuple[float, ...]) -> None:
    """Samples may be rarer and later than the six a second that were seen on most cards."""
    assert abs(mean_error(range(12), period_s, late_s, percents)) < 0.025


def test_work_that_the_ring_forgot_is_like_the_rest() -> None:
    """Polls of 11 s see the last 10 s; idle time that an earlier answer told of is no work."""
    spells = a_ring(at_random(5, (100.0,)))
    found_s = sum(busy_s(spells, [11.0] * 40).values())
    assert found_s == pytest.approx(sum(spells.true_s.values()), rel=0.08)
