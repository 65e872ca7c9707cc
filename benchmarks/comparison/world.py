"""Records of simulated pairs: what aipower-run would have written of programs whose energy is known."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from aipower.compare.model import Side
from aipower.compare.sides import side
from aipower.runrecord import DeviceRecord, Energies, Interval, Intervals, RunRecord
from benchmarks.comparison.scenario import Scenario

Z_95 = 1.959964
GAIN_SE = 0.05 / Z_95
"""Of a sensor that nobody has calibrated: docs/decisions/006."""
BASE_J = {"gpu": 700.0, "cpu": 300.0}
MOVED_J = {"gpu": 400.0, "cpu": 600.0}
"""By the second program where it moves work."""
RUN_S = 60.0


@dataclass(frozen=True, slots=True)
class World:
    """A baseline, what is held against it, and the truth."""

    base: Side
    others: tuple[Side, ...]
    true_log: float
    """ln of the ratio of the true mean energies."""
    true_j: float
    """Their difference."""


def world_of(scenario: Scenario, rng: random.Random) -> World:
    """One pair, or one baseline with several others, by chance."""
    gains = {f"GPU-{n}": rng.gauss(1, GAIN_SE) for n in range(1 + scenario.others)} | {"cpu-0": rng.gauss(1, GAIN_SE)}
    factor = 1 - scenario.saving_percent / 100
    base = _program("base", scenario, 0, {k: v for k, v in BASE_J.items() if k in _kinds(scenario)}, gains, rng)
    other_j = _other_j(scenario, factor)
    others = tuple(_program(f"other{n}", scenario, n, other_j, gains, rng) for n in range(1, scenario.others + 1))
    base_j = sum(BASE_J[kind] for kind in _kinds(scenario))
    disturbed = 1 + scenario.outliers * 0.05
    # The baseline's spread is drawn about the same geometric mean; the truth of joules is the geometric mean's too.
    return World(base, others, math.log(factor), base_j * disturbed * (factor - 1))


def _kinds(scenario: Scenario) -> tuple[str, ...]:
    return ("gpu", "cpu") if scenario.devices == "mixed" else ("gpu",)


def _other_j(scenario: Scenario, factor: float) -> dict[str, float]:
    table = MOVED_J if scenario.devices == "mixed" else BASE_J
    return {kind: factor * table[kind] for kind in _kinds(scenario)}


def _program(
    name: str,
    scenario: Scenario,
    number: int,
    true_j: Mapping[str, float],
    gains: Mapping[str, float],
    rng: random.Random,
) -> Side:
    which = min(number, 1)
    lasting = rng.gauss(0, scenario.error_percent / 100)
    records = []
    for index in range(scenario.runs[which]):
        place = _place(scenario, number, index)
        factor = rng.lognormvariate(0, scenario.spread_percent[which] / 100) * _disturbance(scenario, rng)
        factor *= 1 + scenario.drift_percent / 100 * place / max(1, scenario.runs[which] - 1)
        off = lasting if scenario.lasting else rng.gauss(0, scenario.error_percent / 100)
        gpu = f"GPU-{number}" if scenario.devices == "two" else "GPU-0"
        found = {kind: energy_j * factor * (1 + off) * gains[_sensor(kind, gpu)] for kind, energy_j in true_j.items()}
        records.append(_record(f"{name}-{index}", name, found, gpu, scenario.error_percent / 100, place * RUN_S))
    return side(name, records)


def _sensor(kind: str, gpu: str) -> str:
    return gpu if kind == "gpu" else "cpu-0"


def _place(scenario: Scenario, number: int, index: int) -> float:
    """Which run of the day it was, counted in runs of one program."""
    programs = 1 + scenario.others
    if scenario.in_turns:
        return index + number / programs
    return number * scenario.runs[0] + index


def _disturbance(scenario: Scenario, rng: random.Random) -> float:
    return 1 + rng.uniform(0, 0.1) if rng.random() < scenario.outliers else 1.0


def _record(
    run_id: str, name: str, energies_j: Mapping[str, float], gpu: str, error: float, start_s: float
) -> RunRecord:
    rows = [_row(kind, _sensor(kind, gpu), energy_j, error) for kind, energy_j in energies_j.items()]
    total_j = sum(energies_j.values())
    sums = {**energies_j, "total": total_j}
    return RunRecord(
        run_id=run_id,
        name=name,
        command=[name],
        exit_code=0,
        started_unix_s=start_s,
        wall_s=RUN_S,
        host="simulated",
        energy_j=Energies(**sums),
        interval_j=Intervals(**{kind: _around(value, _absolute(error)) for kind, value in sums.items()}),
        repeatable_interval_j=Intervals(**{kind: _around(value, Z_95 * error) for kind, value in sums.items()}),
        estimated_j=Energies(),
        estimated_interval_j=Intervals(),
        devices=rows,
        processes=[],
        faults=[],
        not_measured=[],
        cpu_time_s=RUN_S,
        max_rss_bytes=0,
        surviving_processes=0,
        complete=True,
        simulated=True,
        version="simulated",
    )


def _row(kind: str, device: str, energy_j: float, error: float) -> DeviceRecord:
    absolute_j, repeatable_j = _around(energy_j, _absolute(error)), _around(energy_j, Z_95 * error)
    return DeviceRecord(
        device=device,
        kind=kind,
        index="0",
        name=device,
        method="counter",
        energy_j=energy_j,
        interval_j=absolute_j,
        mean_w=None,
        peak_w=None,
        run_energy_j=energy_j,
        run_interval_j=absolute_j,
        idle_j=0.0,
        other_j=0.0,
        unattributed_j=0.0,
        covered_s=RUN_S,
        repeatable_interval_j=repeatable_j,
        repeatable_run_interval_j=repeatable_j,
    )


def _absolute(error: float) -> float:
    return Z_95 * math.hypot(error, GAIN_SE)


def _around(value: float, relative: float) -> Interval:
    return value * (1 - relative), value * (1 + relative)
