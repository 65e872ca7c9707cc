"""The check of the CPU's counters, on recordings of real machines."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from aipower.doctor import rapl
from aipower.sensors.rapl.files import SystemIo
from doctor.worlds import make_world
from sensors.powercap import CAPTURES, open_below, plant, put_zone


def test_machine_without_rapl_is_a_warning(tmp_path: Path) -> None:
    result = rapl.counters(make_world(tmp_path))
    assert result.verdict == "warn"
    assert "no RAPL" in result.found
    assert "CPU energy is not measured" in result.found
    assert "modprobe intel_rapl_msr" in result.remedy


def test_two_sockets_with_memory(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    plant("linux-5.15__intel-xeon-gold-6148-x2", world.sysfs)
    result = rapl.counters(world)
    assert (result.verdict, result.remedy) == ("ok", "")
    assert result.found.startswith("4 counters: ")
    assert "dram" in result.found
    assert open_below(tmp_path) == []


def test_cpu_without_a_memory_meter_is_fine_and_told(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    put_zone(world.sysfs / "class/powercap/intel-rapl:0", "package-0", energy_uj=7)
    result = rapl.counters(world)
    assert (result.verdict, result.remedy) == ("ok", "")
    assert result.found == "1 counter: package-0; no memory meter: DRAM energy is not measured"


class ClosedIo(SystemIo, frozen=True):
    """What any user but root meets."""

    def open(self, path: Path) -> int:
        if path.name == "energy_uj":
            raise OSError(errno.EACCES, "Permission denied")
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def test_closed_counters_warn_with_the_whole_command(tmp_path: Path) -> None:
    world = make_world(tmp_path, rapl_io=ClosedIo())
    zone = put_zone(world.sysfs / "class/powercap/intel-rapl:0", "package-0")
    memory = put_zone(world.sysfs / "class/powercap/intel-rapl:0:0", "dram")
    result = rapl.counters(world)
    assert result.verdict == "warn"
    assert "root only" in result.found
    assert all(str(folder / "energy_uj") in result.remedy for folder in (zone, memory))
    assert "chmod 0440" in result.remedy


def test_hidden_by_a_container(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    plant("linux-6.8__in-a-container", world.sysfs)
    result = rapl.counters(world)
    assert result.verdict == "warn"
    assert result.remedy


@pytest.mark.parametrize("content", ["garbage\n", "", "-5\n"])
def test_counter_that_shows_nonsense_fails(tmp_path: Path, content: str) -> None:
    world = make_world(tmp_path)
    zone = put_zone(world.sysfs / "class/powercap/intel-rapl:0", "package-0")
    (zone / "energy_uj").write_text(content)
    result = rapl.counters(world)
    assert result.verdict == "fail"
    assert "energy_uj" in result.found
    assert "dmesg" in result.remedy
    assert open_below(tmp_path) == []


@pytest.mark.parametrize("recording", sorted(path.stem for path in CAPTURES.glob("*.txt")))
@pytest.mark.parametrize(("io", "verdicts"), [(SystemIo(), {"ok", "warn", "fail"}), (ClosedIo(), {"warn"})])
def test_all_recordings_give_a_verdict(tmp_path: Path, recording: str, io: SystemIo, verdicts: set[str]) -> None:
    world = make_world(tmp_path, rapl_io=io)
    plant(recording, world.sysfs)
    assert rapl.counters(world).verdict in verdicts
