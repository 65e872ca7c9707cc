"""A device with exactly known energy, its sensor (periods, windows, jitter, quantum), and the course of a run."""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from aipower.books.ledger import Ledger
from aipower.meter import Channel, Meter
from aipower.model import Device
from aipower.seams import SensorSet, SensorTraits, UsageSource
from fakes import GPU, FakeClock, FakeDirectory, ScriptedSensor

SPAWN_S = 10.0
"""Long enough after the sensor's own start that its history is whole."""
DENSE_S, SPARSE_S, WINDOW_S = 0.005, 0.1, 1.0
DENSE_AT_START_S, DENSE_AT_END_S = 0.25, 0.12


class Truth:
    """Power as a function of time, constant between `(from_s, watts)` steps; the first step is at the start."""

    def __init__(self, steps: Iterable[tuple[float, float]]) -> None:
        ordered = sorted(steps)
        self._at_s = [at_s for at_s, _ in ordered]
        self._w = [watts for _, watts in ordered]
        pieces = ((b - a) * w for a, b, w in zip(self._at_s, self._at_s[1:], self._w, strict=False))
        self._before_j = [0.0, *itertools.accumulate(pieces)]

    def energy_j(self, until_s: float) -> float:
        """From the first step to `until_s`."""
        index = max(0, bisect.bisect_right(self._at_s, until_s) - 1)
        return self._before_j[index] + (until_s - self._at_s[index]) * self._w[index]

    def between_j(self, start_s: float, end_s: float) -> float:
        return self.energy_j(end_s) - self.energy_j(start_s)


@dataclass(frozen=True, slots=True)
class Model:
    """How a sensor publishes; defaults are a GPU after Volta."""

    period_s: float = 0.1
    jitter_s: float = 0.0005
    quantum_uj: int = 1000
    window_s: float = 0.025
    latency_s: tuple[float, float] = (0.0005, 0.005)
    traits: SensorTraits = field(default_factory=SensorTraits)
    has_power: bool = True


class Published:
    """The values that a sensor shows of a truth."""

    def __init__(self, truth: Truth, model: Model, rng: random.Random, until_s: float) -> None:
        self._truth = truth
        self._model = model
        phase_s = rng.random() * model.period_s
        count = int(until_s / model.period_s) + 2
        self.at_s = [phase_s + k * model.period_s + rng.gauss(0, model.jitter_s) for k in range(count)]

    def counter_uj(self, at_s: float) -> int:
        return int(self._truth.energy_j(self._last(at_s)) * 1e6) // self._model.quantum_uj * self._model.quantum_uj

    def power_w(self, at_s: float) -> float:
        last_s = self._last(at_s)
        return self._truth.between_j(last_s - self._model.window_s, last_s) / self._model.window_s

    def reading(self, at_s: float) -> tuple[int | None, float | None]:
        return self.counter_uj(at_s), self.power_w(at_s) if self._model.has_power else None

    def _last(self, at_s: float) -> float:
        return self.at_s[max(0, bisect.bisect_right(self.at_s, at_s) - 1)]


@dataclass(frozen=True, slots=True)
class Pace:
    """How late the runs of the loop come, as on a loaded machine: each wait is longer by up to this."""

    late_s: float = 0.001


class Run:
    """A run as `aipower-run` drives it, over one channel."""

    def __init__(
        self, sensor: ScriptedSensor, clock: FakeClock, rng: random.Random, usage: UsageSource | None = None
    ) -> None:
        self.clock = clock
        self.directory = FakeDirectory()
        self.ledger = Ledger(self.directory)
        sources = {} if usage is None else {sensor.device.id: usage}
        self.meter = Meter(SensorSet([sensor], sources), self.ledger, clock)
        self.pace = Pace()
        self._rng = rng

    @property
    def channel(self) -> Channel:
        return self.meter.channels[0]

    def drive(self, duration_s: float) -> None:
        """From before the spawn to the settled account."""
        clock = self.clock
        clock.wait_until(SPAWN_S - 0.002 - self._rng.random() * 0.02)
        self.meter.sample()
        self.meter.prime()
        clock.wait_until(SPAWN_S)
        self.channel.open(SPAWN_S)
        end_s = SPAWN_S + duration_s
        self._watch(end_s)
        clock.wait_until(end_s)
        self.channel.end(end_s)
        self.meter.sample()
        while not self.channel.settled(end_s) and clock.now_s < end_s + DENSE_AT_END_S:
            self._pause(DENSE_S)
            self.meter.sample()
        self.channel.close(end_s)
        self.meter.attribute()

    @property
    def energy_j(self) -> float:
        return self.ledger.totals(self.channel.sensor.device.id).energy_uj / 1e6

    def _watch(self, end_s: float) -> None:
        attributed_s = SPAWN_S
        while self.clock.now_s < end_s:
            self.meter.sample()
            if self.clock.now_s - attributed_s >= WINDOW_S:
                self.meter.attribute()
                attributed_s = self.clock.now_s
            dense = self.clock.now_s < SPAWN_S + DENSE_AT_START_S
            pause_s = DENSE_S if dense else min(SPARSE_S, max(0.01, self.channel.energy.look_again_s))
            step_s = min(pause_s, max(0.0, end_s - self.clock.now_s))
            self._pause(step_s)

    def _pause(self, seconds: float) -> None:
        self.clock.sleep(seconds + self._rng.random() * self.pace.late_s)


def simulated_run(
    truth: Truth, model: Model, seed: int, duration_s: float, *, late_s: float = 0.001, device: Device = GPU
) -> Run:
    """A finished run over `truth`."""
    rng = random.Random(seed)
    clock = FakeClock()
    published = Published(truth, model, rng, SPAWN_S + duration_s + 2)
    sensor = ScriptedSensor(clock, published.reading, device, model.traits, lambda: rng.uniform(*model.latency_s))
    run = Run(sensor, clock, rng)
    run.pace = Pace(late_s)
    run.drive(duration_s)
    return run


def errors_percent(truths: Sequence[Truth], model: Model, duration_s: float, *, late_s: float = 0.001) -> list[float]:
    """Absolute error of the device's energy of one run per truth, each with its own phase, in percent."""
    errors = []
    for seed, truth in enumerate(truths):
        run = simulated_run(truth, model, seed, duration_s, late_s=late_s)
        true_j = truth.between_j(SPAWN_S, SPAWN_S + duration_s)
        errors.append(100 * abs(run.energy_j - true_j) / true_j)
    return errors


def steady(watts: float = 300.0) -> Truth:
    return Truth([(0.0, watts)])


def burst(duration_s: float, idle_w: float = 60.0, busy_w: float = 400.0) -> Truth:
    """Busy exactly while the run lasts."""
    return Truth([(0.0, idle_w), (SPAWN_S, busy_w), (SPAWN_S + duration_s, idle_w)])


def square(duration_s: float, rng: random.Random, period_s: float, busy_w: float = 400.0) -> Truth:
    """On and off from the spawn to the end, starting anywhere in the period."""
    edges = [(0.0, 60.0)]
    at_s, on = SPAWN_S - rng.random() * period_s / 2, True
    while at_s < SPAWN_S + duration_s:
        edges.append((max(at_s, SPAWN_S), busy_w if on else 60.0))
        at_s, on = at_s + period_s / 2, not on
    return Truth([*edges, (SPAWN_S + duration_s, 60.0)])


def noisy(duration_s: float, rng: random.Random, noise_w: float = 150.0) -> Truth:
    """A burst beside a neighbour that switches `noise_w` every 30 to 400 ms."""
    edges = {0.0, SPAWN_S, SPAWN_S + duration_s}
    at_s = SPAWN_S - 2
    flips = []
    while at_s < SPAWN_S + duration_s + 1:
        flips.append(at_s)
        at_s += rng.uniform(0.03, 0.4)
    steps = []
    for edge_s in sorted(edges | set(flips)):
        own_w = 400.0 if SPAWN_S <= edge_s < SPAWN_S + duration_s else 60.0
        steps.append((edge_s, own_w + noise_w * (bisect.bisect_right(flips, edge_s) % 2)))
    return Truth(steps)
