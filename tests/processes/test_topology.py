"""Sockets and siblings from made trees, and from the machine that runs the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aipower.processes.topology import LiveTopology, read_topology
from processes.systree import put_cpus, two_sockets


def test_sockets_cores_and_siblings(tmp_path: Path) -> None:
    topology = read_topology(two_sockets(tmp_path))
    assert topology.sockets == (0, 1)
    assert [topology.socket_of(cpu) for cpu in range(8)] == [0, 0, 1, 1, 0, 0, 1, 1]
    assert topology.siblings_of(6) == (2, 6)
    assert topology.smt


def test_siblings_are_found_by_core_where_the_kernel_lists_none(tmp_path: Path) -> None:
    put_cpus(tmp_path, {0: (0, 0), 1: (1, 0), 2: (0, 0)}, siblings=False)
    topology = read_topology(tmp_path)
    assert topology.siblings_of(0) == (0, 2)
    assert topology.siblings_of(1) == (1,)


@pytest.mark.parametrize("per_cpu", [True, False])
def test_offline_cpus_are_no_siblings(tmp_path: Path, per_cpu: bool) -> None:
    two_sockets(tmp_path)
    if per_cpu:
        for number in range(4, 8):
            (tmp_path / f"cpu{number}" / "online").write_text("0\n")
    else:
        (tmp_path / "online").write_text("0-2,3\n")
    topology = read_topology(tmp_path)
    assert sorted(topology.cpus) == [0, 1, 2, 3]
    assert not topology.smt


def test_a_socket_that_the_kernel_does_not_know_is_the_first(tmp_path: Path) -> None:
    put_cpus(tmp_path, {0: (-1, 0), 1: (-1, 1)})
    (tmp_path / "cpu2").mkdir()
    (tmp_path / "cpufreq").mkdir()
    topology = read_topology(tmp_path)
    assert topology.sockets == (0,)
    assert sorted(topology.cpus) == [0, 1, 2]
    assert not topology.smt


@pytest.mark.parametrize("text", ["", "garbage", "9-1", "1-x", "\xff"])
def test_garbage_costs_only_itself(tmp_path: Path, text: str) -> None:
    two_sockets(tmp_path)
    (tmp_path / "online").write_text(text)
    (tmp_path / "cpu3" / "topology" / "thread_siblings_list").write_text(text)
    (tmp_path / "cpu3" / "topology" / "physical_package_id").write_text(text)
    topology = read_topology(tmp_path)
    assert topology.sockets == (0, 1)
    assert 3 in topology.siblings_of(3)


def test_without_a_tree_all_is_one_socket(tmp_path: Path) -> None:
    topology = read_topology(tmp_path / "none")
    assert topology.sockets == (0,)
    assert (topology.socket_of(5), topology.siblings_of(5)) == (0, (5,))


def test_it_is_read_again_when_cpus_come_or_go(tmp_path: Path) -> None:
    live = LiveTopology(two_sockets(tmp_path))
    assert live.of(range(8)).smt
    (tmp_path / "online").write_text("0-3")
    assert live.of(range(8)).smt
    assert not live.of(range(4)).smt


def test_the_real_machine_has_each_cpu_once() -> None:
    topology = read_topology()
    assert len(topology.cpus) in {0, os.sysconf("SC_NPROCESSORS_ONLN")}
    assert all(number in cpu.siblings for number, cpu in topology.cpus.items())
