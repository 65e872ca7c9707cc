"""Cards that read wrongly (R14 of science F4), as they come and with a calibration."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from aipower.model import Calibration
from benchmarks.accuracy.case import START_S, Case, Scenario, vary, within
from benchmarks.accuracy.published import Card
from benchmarks.accuracy.scenarios.parts import device_case
from benchmarks.accuracy.sensors import CARDS
from benchmarks.accuracy.truth import Steps

GAIN_SE, OFFSET_SE_W = 0.002, 0.3
"""What an hour beside a good meter leaves."""


def job(rng: random.Random, *, calibrated: bool, busy_w: float) -> Case:
    """A minute on a card drawn from those that were measured."""
    seconds, idle_w = vary(rng, 60.0), vary(rng, 40.0)
    card = CARDS[rng.choice(sorted(CARDS))]
    steps = Steps([(0.0, idle_w), (START_S, max(idle_w, vary(rng, busy_w))), (START_S + seconds, idle_w)])
    case = device_case(steps, "ada", rng, seconds, card)
    known = calibration(rng, card) if calibrated else None
    return replace(case, parts=[replace(part, calibration=known, true_scale=False) for part in case.parts])


def calibration(rng: random.Random, card: Card) -> Calibration:
    """What a person finds who calibrates `card`, off by what was left."""
    gain, offset_w = 1 / card.gain, -card.offset_w / card.gain
    return Calibration(rng.gauss(gain, GAIN_SE), rng.gauss(offset_w, OFFSET_SE_W), GAIN_SE, OFFSET_SE_W, 0.0, "rig")


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    for name, busy_w in (("busy", 300.0), ("idle", 40.0)):
        as_it_comes = partial(job, calibrated=False, busy_w=busy_w)
        yield Scenario(f"calibration/{name}-uncalibrated", as_it_comes, within(6.0) if name == "busy" else {})
        calibrated = partial(job, calibrated=True, busy_w=busy_w)
        yield Scenario(f"calibration/{name}-calibrated", calibrated, within(0.3 if name == "busy" else 1.0))
