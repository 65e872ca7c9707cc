"""Sensors that fail while a job runs (R12 of science F4): no joule lost or invented, and gaps that are owned up to."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from benchmarks.accuracy.case import FLAGGED, START_S, Case, Part, Scenario, Target, Targets, vary, within
from benchmarks.accuracy.published import Publisher, Signal
from benchmarks.accuracy.scenarios.device import burst, neighbour
from benchmarks.accuracy.scenarios.parts import device_case
from benchmarks.accuracy.sensors import MODELS, Outage
from benchmarks.accuracy.truth import Steps

SECONDS = 60.0
STALLS = 0.05
"""Share of the calls that wait 100 ms for the driver's lock: now and then each second."""
Spoil = Callable[[random.Random, Part, float], Part]


class Reloaded:
    """A counter that begins anew at `at_s`, as after a reset of the driver."""

    def __init__(self, published: Publisher, at_s: float) -> None:
        self._published = published
        self._at_s = at_s

    def counter_uj(self, at_s: float) -> int | None:
        """What the counter has counted since the reset."""
        value_uj, base_uj = self._published.counter_uj(at_s), self._published.counter_uj(self._at_s)
        return value_uj if value_uj is None or base_uj is None or at_s < self._at_s else value_uj - base_uj

    def watts(self, signal: Signal, at_s: float) -> float:
        """Power does not notice."""
        return self._published.watts(signal, at_s)


def spoiled(rng: random.Random, build: Callable[[random.Random], Case], spoil: Spoil) -> Case:
    """A case with one fault in its middle half."""
    case = build(rng)
    at_s = rng.uniform(*((case.start_s * (1 - share) + case.end_s * share) for share in (0.25, 0.7)))
    return replace(case, parts=[spoil(rng, part, at_s) for part in case.parts])


def restless(rng: random.Random) -> Case:
    """A job whose power changes each few seconds."""
    seconds, at_s, steps = vary(rng, SECONDS), START_S, [(0.0, vary(rng, 60.0))]
    while at_s < START_S + seconds:
        steps.append((at_s, rng.uniform(100.0, 450.0)))
        at_s += rng.uniform(1.0, 6.0)
    return device_case(Steps([*steps, (START_S + seconds, steps[0][1])]), "h100", rng, seconds)


def reset(_: random.Random, part: Part, at_s: float) -> Part:
    """The counter begins anew."""
    return replace(part, published=Reloaded(part.published, at_s))


def failing(rng: random.Random, part: Part, at_s: float) -> Part:
    """Reads fail for some seconds; the counter goes on."""
    return replace(part, outages=[Outage(at_s, at_s + rng.uniform(0.5, 4.0))])


def lost(rng: random.Random, part: Part, at_s: float) -> Part:
    """The device leaves for some seconds, and its counter begins anew: what it used meanwhile nobody knows."""
    away_s = rng.uniform(4.0, 10.0)
    return replace(reset(rng, part, at_s + away_s / 2), outages=[Outage(at_s, at_s + away_s, gone=True)])


def stalling(_: random.Random, part: Part, __: float) -> Part:
    """Many calls wait for the driver."""
    return replace(part, model=replace(MODELS["h100"], stall_chance=STALLS))


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    spoils: Mapping[str, tuple[Spoil, Targets]] = {
        "counter-reset": (reset, within(0.1)),
        "reads-fail": (failing, within(0.05)),
        "gpu-lost": (lost, {"device": Target(flagged=FLAGGED)}),
        "stalls": (stalling, within(0.05)),
    }
    for name, (spoil, targets) in spoils.items():
        yield Scenario(f"fault/{name}", partial(spoiled, build=restless, spoil=spoil), targets)
    for name, shape, target in (("burst", burst, 0.3), ("neighbour", neighbour, 1.0)):
        build = partial(shape, model="h100", usual_s=2.5)
        yield Scenario(f"fault/stalls-{name}-2.5s", partial(spoiled, build=build, spoil=stalling), within(target))
