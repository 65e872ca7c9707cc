"""Python, kernel and clocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipower.doctor import system
from aipower.doctor.world import World, read_clocks
from aipower.seams import SystemClock
from doctor.worlds import facts, make_world, put, versions

SOURCE = "sys/devices/system/clocksource/clocksource0/current_clocksource"


def test_python_and_aipower(tmp_path: Path) -> None:
    result = system.python(make_world(tmp_path))
    assert (result.verdict, result.remedy) == ("ok", "")
    assert result.found == "aipower 0.1.0, Python 3.12.1 (/usr/bin/python3)"


@pytest.mark.parametrize(("version", "verdict"), [((3, 10, 99), "fail"), ((3, 11, 0), "ok"), ((4, 0, 0), "ok")])
def test_old_python_fails(tmp_path: Path, version: tuple[int, int, int], verdict: str) -> None:
    result = system.python(make_world(tmp_path, python=version))
    assert result.verdict == verdict
    assert bool(result.remedy) is (verdict == "fail")


def test_aipower_that_was_not_installed_is_told(tmp_path: Path) -> None:
    result = system.python(make_world(tmp_path, installed=versions(aipower="")))
    assert "(not installed)" in result.found


def test_kernel_facts(tmp_path: Path) -> None:
    result = system.kernel(make_world(tmp_path))
    assert (result.verdict, result.found) == ("ok", "Linux 6.8.0-test, x86_64, Test Linux 1, 4 CPUs")


def test_kernel_in_a_virtual_machine(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    put(world.proc / "cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor lahf_lm\n")
    assert system.kernel(world).found.endswith("1 CPU, a virtual machine")


def test_kernel_of_an_empty_proc_does_not_fail(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    result = system.kernel(make_world(tmp_path))
    assert (result.verdict, result.found) == ("ok", "Linux of unknown release, x86_64, unknown distribution")


def test_kernel_files_may_be_garbage(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    (world.etc / "os-release").write_bytes(b"\xff\xfe\x00PRETTY_NAME\n")
    (world.proc / "cpuinfo").write_bytes(b"\x00\xff" * 100)
    assert system.kernel(world).verdict == "ok"


def test_good_clock(tmp_path: Path) -> None:
    result = system.clock(make_world(tmp_path))
    assert (result.verdict, result.remedy) == ("ok", "")
    assert result.found == "source tsc, resolution 1 ns, a read takes 70 ns, wall clock 2026-05-28T20:26:40Z"


def test_clock_without_a_readable_source(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    (tmp_path / SOURCE).unlink()
    result = system.clock(world)
    assert result.verdict == "ok"
    assert "source unknown" in result.found


@pytest.mark.parametrize("unix_s", [0.0, -5.0, 1_700_000_000.0, 5e9, 1e30, float("inf"), float("nan")])
def test_wrong_wall_clock_fails(tmp_path: Path, unix_s: float) -> None:
    result = system.clock(make_world(tmp_path, clocks=facts(unix_s=unix_s)))
    assert result.verdict == "fail"
    assert result.remedy == "sudo timedatectl set-ntp true"


@pytest.mark.parametrize("source", ["hpet", "acpi_pm", "jiffies", "refined-jiffies"])
def test_slow_clock_source_warns(tmp_path: Path, source: str) -> None:
    world = make_world(tmp_path)
    put(tmp_path / SOURCE, f"{source}\n")
    result = system.clock(world)
    assert result.verdict == "warn"
    assert f"source {source}" in result.found
    assert "dmesg" in result.remedy


@pytest.mark.parametrize("source", ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"])
def test_quick_clock_sources_are_fine(tmp_path: Path, source: str) -> None:
    world = make_world(tmp_path)
    put(tmp_path / SOURCE, f"{source}\n")
    assert system.clock(world).verdict == "ok"


@pytest.mark.parametrize(("changes", "words"), [
    ({"read_cost_s": 2e-5}, "slow to read"),
    ({"resolution_s": 4e-3}, "too coarse"),
])  # fmt: skip
def test_poor_clocks_warn(tmp_path: Path, changes: dict[str, float], words: str) -> None:
    result = system.clock(make_world(tmp_path, clocks=facts(**changes)))
    assert result.verdict == "warn"
    assert words in result.found
    assert result.remedy


def test_suspend_is_told(tmp_path: Path) -> None:
    result = system.clock(make_world(tmp_path, clocks=facts(slept_s=3600.0)))
    assert result.verdict == "ok"
    assert "suspended for 3600 s since boot" in result.found


def test_clocks_of_this_machine_are_read() -> None:
    found = read_clocks(SystemClock())
    assert 0 < found.resolution_s <= 0.01
    assert 0 < found.read_cost_s < 0.01
    assert found.unix_s > 1.7e9
    assert found.slept_s >= 0


def test_world_is_this_machine_by_default() -> None:
    world = World()
    assert (world.proc, world.sysfs) == (Path("/proc"), Path("/sys"))
    assert str(world.listen) == "127.0.0.1:9877"
    assert system.python(world).verdict == "ok"
    assert system.kernel(world).found.startswith("Linux ")
    assert world.installed("no-such-distribution-at-all") == ""
