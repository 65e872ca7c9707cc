"""Weights of CPU time on shared cores."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.processes.placement import Stint
from aipower.processes.smt import SMT_SHARE, Crowding
from aipower.processes.topology import Cpu, Topology, read_topology
from processes.systree import two_sockets


def crowding(tmp_path: Path, busy_s: dict[int, float]) -> Crowding:
    return Crowding(read_topology(two_sockets(tmp_path)), busy_s, 10.0)


@pytest.mark.parametrize(("beside_s", "weight"), [(0.0, 1.0), (5.0, 0.8), (10.0, 0.6)])
def test_a_busy_sibling_makes_time_lighter(tmp_path: Path, beside_s: float, weight: float) -> None:
    assert crowding(tmp_path, {0: 10.0, 4: beside_s}).of_place([Stint(0, 10.0)]) == pytest.approx(weight)


def test_a_thread_that_hops_between_siblings_is_alone(tmp_path: Path) -> None:
    hops = [Stint(0, 5.0, 1), Stint(4, 5.0, 1)]
    assert crowding(tmp_path, {0: 5.0, 4: 5.0}).of_place(hops) == 1.0
    two = [Stint(0, 10.0, 1), Stint(4, 10.0, 2)]
    assert crowding(tmp_path, {0: 10.0, 4: 10.0}).of_place(two) == pytest.approx(SMT_SHARE)


def test_a_socket_has_the_mean_of_its_busy_time(tmp_path: Path) -> None:
    machine = crowding(tmp_path, {0: 10.0, 1: 10.0, 5: 10.0, 2: 3.0})
    assert machine.of_socket(0) == pytest.approx((1.0 + 0.6 + 0.6) / 3)
    assert machine.of_socket(1) == 1.0
    assert machine.of_place([]) == 1.0


@given(st.lists(st.floats(0, 10), min_size=8, max_size=8), st.floats(0.001, 10))
def test_more_threads_on_a_core_draw_more_together_and_less_each(busy_s: list[float], own_s: float) -> None:
    cpus = {n: Cpu(n, 0, 0, tuple(range(8))) for n in range(8)}
    crowd = Crowding(Topology(cpus), dict(enumerate(busy_s)), 10.0)
    weight = crowd.of_place([Stint(0, own_s)])
    assert (1 + (2 * SMT_SHARE - 1) * 7) / 8 - 1e-9 <= weight <= 1.0
