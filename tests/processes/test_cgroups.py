"""Control groups of version 1, 2 and both, in made trees and on the machine that runs the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aipower.processes.cgroups import Hierarchy, find_hierarchy
from aipower.processes.procfs import ProcFs

V1 = "9:name=systemd:/init\n4:cpu,cpuacct:/docker/abc\n0::/other\n"
V2 = "0::/system.slice/a:b.service\n"


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_version_2(tmp_path: Path) -> None:
    write(tmp_path / "cgroup.controllers", "cpu memory")
    group = tmp_path / "system.slice" / "a:b.service"
    write(group / "cpu.stat", "usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n")
    write(group / "cgroup.procs", "12\n7\n")
    found = find_hierarchy(tmp_path)
    assert found
    assert found == Hierarchy(str(tmp_path), v2=True)
    path = found.path_of(V2)
    assert path == "/system.slice/a:b.service"
    assert found.used_s(path) == 2.5
    assert found.pids(path) == [12, 7]
    assert found.leaf(path)
    assert not found.leaf("/system.slice")


@pytest.mark.parametrize("name", ["cpuacct", "cpu,cpuacct"])
def test_version_1(tmp_path: Path, name: str) -> None:
    write(tmp_path / name / "cpuacct.usage", "9")
    write(tmp_path / name / "docker" / "abc" / "cpuacct.usage", "1500000000\n")
    write(tmp_path / "unified" / "cgroup.controllers")
    found = find_hierarchy(tmp_path)
    assert found
    assert not found.v2
    assert found.path_of(V1) == "/docker/abc"
    assert found.used_s("/docker/abc") == 1.5


def test_hybrid_without_accounting_goes_by_version_2(tmp_path: Path) -> None:
    write(tmp_path / "unified" / "cgroup.controllers")
    write(tmp_path / "unified" / "other" / "cpu.stat", "usage_usec 1000000\n")
    found = find_hierarchy(tmp_path)
    assert found
    assert found.path_of(V1) == "/other"
    assert found.used_s("/other") == 1.0


@pytest.mark.parametrize("path", ["/", "/../pod1/c2", "", "relative"])
def test_the_root_and_what_lies_outside_our_view_are_no_groups(path: str) -> None:
    assert Hierarchy("/", v2=True).path_of(f"0::{path}\n") is None


@pytest.mark.parametrize("text", ["", "garbage", "usage_usec", "usage_usec x", "usage_usec -5"])
def test_what_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    write(tmp_path / "g" / "cpu.stat", text)
    write(tmp_path / "g" / "cpuacct.usage", text)
    for v2 in (True, False):
        hierarchy = Hierarchy(str(tmp_path), v2=v2)
        assert hierarchy.used_s("/g") is None
        assert hierarchy.used_s("/left") is None
        assert hierarchy.pids("/left") == []
        assert not hierarchy.leaf("/left")


def test_without_cgroups_there_is_no_hierarchy(tmp_path: Path) -> None:
    assert find_hierarchy(tmp_path / "none") is None


def test_our_own_group_on_the_real_machine() -> None:
    found = find_hierarchy()
    if found is None:
        pytest.skip("no cgroups are mounted here")
    path = found.path_of(ProcFs().cgroups(os.getpid()))
    if path is None:
        pytest.skip("we are in the root group")
    used_s = found.used_s(path)
    assert used_s is None or used_s > 0
