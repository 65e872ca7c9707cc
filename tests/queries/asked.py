"""A question as it is put to the simulated nodes, and what really was."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import pytest

from fleet.agent import instants
from fleet.fixture import Fleet
from fleet.machine import Machine, machine
from fleet.plan import BOXES, HOUR_S, HOURS, Work, work_j
from fleet.story import story
from fleet.truth import Row
from queries.page import Question

K = TypeVar("K", bound=tuple[str, ...])
WH_J, KWH_J = 3600.0, 3.6e6
END_S = HOURS * HOUR_S
INCREASE = 0.005
"""`increase()` guesses at the ends of its range."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the nodes that it is put to."""

    fleet: Fleet
    question: Question

    def query(self, number: int = 0) -> str:
        """One of its queries, as it stands on the page."""
        return self.question.queries[number]

    def value(self, at_h: float = HOURS, number: int = 0) -> float:
        """The one value of the answer, at an hour of the story."""
        return self.fleet.value(self.query(number), self._unix_s(at_h))

    def by(self, *labels: str, at_h: float = HOURS, number: int = 0) -> dict[tuple[str, ...], float]:
        """The values of the answer by labels, which must tell all rows apart."""
        rows = self.fleet.query(self.query(number), self._unix_s(at_h))
        found = {tuple(row.labels.get(label, "") for label in labels): row.value for row in rows}
        assert len(found) == len(rows), rows
        return found

    def one(self, label: str, at_h: float = HOURS, number: int = 0) -> dict[str, float]:
        """As `by`, of one label."""
        return {key[0]: value for key, value in self.by(label, at_h=at_h, number=number).items()}

    def job_j(self, job: str, **wanted: str) -> float:
        """What a job used by the agents' own accounts: of a `kind`, or a `step`."""
        kind, step = wanted.get("kind"), wanted.get("step")
        return self.sum(
            lambda row: row.owner.job == job and kind in {None, row.device.kind} and step in {None, row.owner.step}
        )

    def sum(self, wanted: Callable[[Row], bool], value: Callable[[Row], float] = lambda row: row.energy_j) -> float:
        """Of the rows that are wanted."""
        return math.fsum(value(row) for row in self.fleet.truth.rows if wanted(row))

    def _unix_s(self, at_h: float) -> float:
        return self.fleet.start_unix_s + at_h * HOUR_S


@functools.cache
def machines() -> Mapping[str, Machine]:
    """The nodes by instance: their counters are known at any time, without agent, page or Prometheus."""
    return {box.instance: machine(box, story()) for box in BOXES}


def drawn_j(begin_h: float, end_h: float) -> dict[tuple[str, str], float]:
    """What the hardware drew between two hours of the story, by instance and device."""
    return {
        (instance, sensor.device.id): sensor.energy_j(end_h * HOUR_S) - sensor.energy_j(begin_h * HOUR_S)
        for instance, node in machines().items()
        for sensor in node.sensors
    }


def powers_w(at_s: float) -> dict[tuple[str, str], float]:
    """What the devices drew at a moment of the story, as far as a scrape then would have seen it."""
    found = {}
    for instance, node in machines().items():
        node.clock.now_s = at_s
        box = node.box
        if box.unseen_h[0] <= at_s / HOUR_S < box.unseen_h[1]:
            continue
        broken, from_h, to_h = box.broken
        for sensor in node.sensors:
            if sensor.device.id != broken or not from_h <= at_s / HOUR_S < to_h:
                found[instance, sensor.device.id] = sensor.read().power_w or 0.0
    return found


def peak_w(begin_h: float, instances: Callable[[str], bool] = lambda _: True) -> float:
    """The highest sum that a scrape since then has seen."""
    moments = [at_s for at_s in instants() if at_s >= begin_h * HOUR_S]
    return max(
        math.fsum(power_w for (name, _), power_w in powers_w(at_s).items() if instances(name)) for at_s in moments
    )


def working() -> list[Work]:
    """The processes that go on at the end of the story."""
    return [work for work in story() if work.end_s > END_S]


def mean_w(work: Work) -> float:
    """What a process draws in the mean of the last five minutes."""
    until_j = [
        math.fsum(work_j(load, work.begin_s, work.end_s, at_s) for load in work.loads) for at_s in (END_S - 300, END_S)
    ]
    return (until_j[1] - until_j[0]) / 300


def assert_five(found: Mapping[K, float], works: Mapping[K, Work]) -> None:
    """The five of `works` that draw most were found, with what they draw."""
    drawn_w = {key: mean_w(work) for key, work in works.items()}
    best = sorted(drawn_w, key=lambda key: -drawn_w[key])[:5]
    assert len(drawn_w) > len(best)
    assert set(found) == set(best)
    assert found == pytest.approx({key: drawn_w[key] for key in best}, rel=0.05)


def of_instances(energies: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """Summed over the devices of each."""
    found: dict[str, float] = {}
    for (instance, _), energy in energies.items():
        found[instance] = found.get(instance, 0.0) + energy
    return found
