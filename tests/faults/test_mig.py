"""A GPU that is split while it works, split in another way, and made whole again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from daemon.agents import Series, total
from fake_driver.presets import h100
from fake_driver.script import Gpu, Instance, Process, Sampler, Segment
from faults.bench import ENERGY, LAG_S, PROCESS, Rack, energy_j, grown, up, watched

WATTS = 350.0
ONE, OTHER = 3, 4
"""Ids of GPU instances, which a driver gives again to others."""
HALVES = (Instance(ONE, 3, sm=80.0, dram=30.0), Instance(OTHER, 3, sm=40.0, dram=20.0))
UNEQUAL = (Instance(ONE, 1, sm=80.0, dram=30.0), Instance(OTHER, 4, sm=40.0, dram=20.0))


@pytest.fixture
def jobs() -> Iterator[list[int]]:
    running = [subprocess.Popen(["sleep", "1000"]) for _ in range(2)]
    yield [job.pid for job in running]
    for job in running:
        job.kill()
        job.wait()


def card(processes: tuple[Process, ...], **changes: Any) -> Gpu:
    load = (Segment(0.0, 1e6, WATTS - 70.0),)
    return h100(0, shapes=load, processes=processes, sampler=Sampler("each"), **changes)


def test_mig_is_reconfigured(tmp_path: Path, jobs: list[int]) -> None:
    """After each change all processes are given energy again, and the whole stays the true one."""
    whole = card((Process(jobs[0], busy=60.0), Process(jobs[1], busy=20.0)))
    tenants = (Process(jobs[0], instance=ONE), Process(jobs[1], instance=OTHER))
    halves, unequal = (card(tenants, mig="on", instances=instances) for instances in (HALVES, UNEQUAL))
    rack = Rack(tmp_path, whole)
    with watched(rack) as witness:
        witness.until(lambda series: up(whole.uuid)(series) and all(used(series, pid) > 0 for pid in jobs))
        began = witness.look()
        began_s = rack.now_s()
        for gpu in (halves, unequal, halves, whole):
            since_s = rack.becomes(gpu)
            settled = witness.rest(2)
            witness.recovers(partial(all_are_given, settled, pids=jobs), since_s)
        series = witness.look()
        lived_s = rack.now_s() - began_s
        used_j = energy_j(series, whole) - energy_j(began, whole)
        assert WATTS * (lived_s - LAG_S) <= used_j <= WATTS * (lived_s + LAG_S)
        assert up(whole.uuid)(series)
        witness.ends_well()


def used(series: Series, pid: int) -> float:
    return total(series, PROCESS, pid=str(pid), component="active")


def all_are_given(before: Series, series: Series, pids: list[int]) -> bool:
    """True if everybody has been given energy since, and together most of what was used beyond a bare device."""
    given = [grown(before, series, PROCESS, pid=str(pid)) for pid in pids]
    rise_j = grown(before, series, ENERGY)
    return min(given) > 0 and rise_j > 0 and sum(given) >= 0.6 * rise_j
