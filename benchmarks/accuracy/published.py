"""What a sensor publishes of a power: values that stand from one publication to the next (science of F1)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

from benchmarks.accuracy.truth import Power

JITTERS = 1021
"""Drawn once per lattice and used in turn: a table of 60,000 instants of RAPL would cost more than the run."""
WIDEST_JITTER = 0.4
"""Of a period: publications never overtake each other."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A power value: every `period_s` the mean of the last `window_s`."""

    period_s: float
    window_s: float
    sample_s: float | None = None
    """Where the mean is of one short sample per period and not of the whole window: that sample's length."""


@dataclass(frozen=True, slots=True)
class Counter:
    """An energy counter that moves every `period_s`."""

    period_s: float
    sample_s: float | None = None
    """Where it sees part of the time only: each period counts as what its last `sample_s` showed."""
    quantum_uj: float = 1000.0
    modulus_uj: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A sensor's scale: it shows `gain * watts + offset_w`."""

    gain: float = 1.0
    offset_w: float = 0.0


class Lattice:
    """Instants of publication: a random phase, whole periods, jitter."""

    def __init__(self, rng: random.Random, period_s: float, jitter_s: float) -> None:
        self._period_s = period_s
        self._phase_s = rng.random() * period_s
        widest_s = WIDEST_JITTER * period_s
        self._jitter_s = [min(max(rng.gauss(0, jitter_s), -widest_s), widest_s) for _ in range(JITTERS)]

    def at_s(self, number: int) -> float:
        """The instant of publication `number`."""
        return self._phase_s + number * self._period_s + self._jitter_s[number % JITTERS]

    def last(self, at_s: float) -> int:
        """The number of the latest publication at `at_s`."""
        number = int((at_s - self._phase_s) / self._period_s) + 1
        while self.at_s(number) > at_s:
            number -= 1
        return number


class Publisher(Protocol):
    """The values of one sensor as functions of time."""

    def counter_uj(self, at_s: float) -> int | None:
        """What the energy counter shows; None without one."""
        ...

    def watts(self, signal: Signal, at_s: float) -> float:
        """What `signal` shows, in watts."""
        ...


class Published:
    """The values of one sensor as functions of time; reading them changes nothing."""

    def __init__(self, power: Power, counter: Counter | None, card: Card, rng: random.Random, jitter_s: float) -> None:
        self._power = power
        self._counter = counter
        self._card = card
        self._seed = rng.random()
        self._jitter_s = jitter_s
        self._lattices: dict[float, Lattice] = {}
        self._base_uj = rng.random() * (counter.modulus_uj if counter and counter.modulus_uj else 1e12)
        self._sampled_j = [0.0]

    def counter_uj(self, at_s: float) -> int | None:
        """What the energy counter shows; None without one."""
        counter = self._counter
        if counter is None:
            return None
        lattice = self._lattice(counter.period_s)
        number = lattice.last(at_s)
        if counter.sample_s is None:
            energy_j = self._shown_j(0.0, lattice.at_s(number))
        else:
            energy_j = self._sampled(counter.sample_s, lattice, number)
        quanta = int((self._base_uj + energy_j * 1e6) / counter.quantum_uj)
        value_uj = int(quanta * counter.quantum_uj)
        return value_uj if counter.modulus_uj is None else value_uj % counter.modulus_uj

    def watts(self, signal: Signal, at_s: float) -> float:
        """What `signal` shows, in whole milliwatts."""
        lattice = self._lattice(signal.period_s)
        number = lattice.last(at_s)
        if signal.sample_s is None:
            watts = self._mean_w(lattice.at_s(number), signal.window_s)
        else:
            count = max(1, round(signal.window_s / signal.period_s))
            samples = (self._mean_w(lattice.at_s(number - k), signal.sample_s) for k in range(count))
            watts = sum(samples) / count
        return max(0, int(watts * 1000)) / 1000

    def _lattice(self, period_s: float) -> Lattice:
        """All that a card publishes at one period it publishes together."""
        if period_s not in self._lattices:
            rng = random.Random(f"{self._seed} {period_s}")
            self._lattices[period_s] = Lattice(rng, period_s, self._jitter_s)
        return self._lattices[period_s]

    def _sampled(self, sample_s: float, lattice: Lattice, number: int) -> float:
        """Joules of a counter that takes each period for what its last moments were."""
        known = self._sampled_j
        while len(known) <= number:
            end_s = lattice.at_s(len(known))
            known.append(known[-1] + self._mean_w(end_s, sample_s) * (end_s - lattice.at_s(len(known) - 1)))
        return known[max(number, 0)]

    def _mean_w(self, end_s: float, window_s: float) -> float:
        return self._shown_j(end_s - window_s, end_s) / window_s

    def _shown_j(self, start_s: float, end_s: float) -> float:
        energy_j = self._power.between_j(start_s, end_s)
        return self._card.gain * energy_j + self._card.offset_w * (end_s - start_s)
