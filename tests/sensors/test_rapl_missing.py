"""What cannot be measured is said, with a remedy that works, and never becomes a number."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aipower.model import Unavailable
from aipower.seams import SystemClock
from aipower.sensors.rapl import discover
from aipower.sensors.rapl.missing import grant_command
from sensors.powercap import FakeClock, FaultyIo, close_all, failure, ids, plant, put_zone

SERVER = "linux-5.15__intel-xeon-gold-6148-x2"
AS_USER = "linux-5.15__intel-xeon-gold-6148-as-user"
NOBODY = 65534

# The tree is the working directory: an unprivileged child may not walk through pytest's private folders.
AS_NOBODY = f"""
import os
from pathlib import Path
from aipower.sensors.rapl import discover
if os.getuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
found = discover(Path("."))
for sensor in found.sensors:
    print("sensor", sensor.device.id, sensor.read().counter_uj)
for entry in found.unavailable:
    print("unavailable", entry.kind, entry.reason, entry.remedy, sep="|")
"""


def as_nobody(root: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY], cwd=root, capture_output=True, text=True, check=True, timeout=100
    )
    return done.stdout.splitlines()


def missing(root: Path, io: FaultyIo | None = None) -> list[Unavailable]:
    found = discover(root, FakeClock(), io=io or FaultyIo())
    close_all(found)
    return list(found.unavailable)


def one_line(entry: Unavailable) -> bool:
    return bool(entry.reason and entry.remedy) and "\n" not in entry.reason + entry.remedy


@pytest.mark.parametrize("below", ["", "nothing", "class", "a-file"])
def test_a_machine_without_powercap_says_so(below: str, tmp_path: Path) -> None:
    (tmp_path / "class" / "powercap").mkdir(parents=True)
    (tmp_path / "a-file").touch()
    (entry,) = missing(tmp_path / below)
    assert (entry.source, entry.kind) == ("CPU (RAPL)", "cpu")
    assert entry.reason == "this machine offers no RAPL (usual in a virtual machine)"
    assert entry.remedy.startswith("CPU energy can only be estimated")
    assert one_line(entry)


def test_a_container_that_hides_the_zones_is_told_from_a_machine_without(tmp_path: Path) -> None:
    (entry,) = missing(plant("linux-6.8__in-a-container", tmp_path))
    assert entry.reason.startswith("the container runtime hides")
    assert "systempaths=unconfined" in entry.remedy
    assert one_line(entry)


def test_zones_without_a_package_are_told_from_none(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "psys")
    (entry,) = missing(tmp_path)
    assert entry.reason == "powercap has no package zone with an energy counter"
    assert one_line(entry)


def test_a_cpu_without_a_memory_meter_says_so(tmp_path: Path) -> None:
    (entry,) = missing(plant("linux-6.1__amd-epyc-7763-x2", tmp_path))
    assert (entry.source, entry.kind) == ("DRAM (RAPL)", "dram")
    assert one_line(entry)


def test_a_server_with_all_counters_misses_nothing(tmp_path: Path) -> None:
    assert missing(plant(SERVER, tmp_path)) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_refused_counters_are_gathered_by_kind(number: int, tmp_path: Path) -> None:
    # A zone's name is opened at the scan, its range and its counter one after the other.
    io = FaultyIo(opens=[*[None] * 4, *[None, failure(number)] * 4])
    root = tmp_path / "powercap"
    for socket in (0, 1):
        zone = put_zone(root / f"intel-rapl:{socket}", f"package-{socket}")
        put_zone(zone / f"intel-rapl:{socket}:0", "dram")
    cpu, dram = missing(root, io)
    assert (cpu.kind, dram.kind) == ("cpu", "dram")
    assert "intel-rapl:0, intel-rapl:1 may be read by root only (CVE-2020-8694)" in cpu.reason
    assert "intel-rapl:0:0, intel-rapl:1:0 may" in dram.reason
    assert str(root / "intel-rapl:1" / "energy_uj") in cpu.remedy
    assert one_line(cpu)
    assert one_line(dram)


def test_a_refused_package_leaves_its_dram(tmp_path: Path) -> None:
    zone = put_zone(tmp_path / "intel-rapl:0", "package-0")
    put_zone(zone / "intel-rapl:0:0", "dram", energy_uj=3)
    found = discover(tmp_path, FakeClock(), io=FaultyIo(opens=[None, None, None, failure(errno.EACCES)]))
    assert ids(found) == ["intel-rapl:0:0"]
    assert found.sensors[0].device.parent == "intel-rapl:0"
    assert [entry.kind for entry in found.unavailable] == ["cpu"]
    close_all(found)


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENOENT])
def test_another_failure_to_open_names_the_zone_and_the_error(number: int, tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0")
    entries = missing(tmp_path, FaultyIo(opens=[None, None, failure(number)]))
    assert entries[0].reason == f"energy_uj of intel-rapl:0 cannot be opened: {os.strerror(number)}"
    assert all(one_line(entry) for entry in entries)


def test_the_command_opens_the_counters_to_the_group_alone(tmp_path: Path) -> None:
    zone = put_zone(tmp_path / "powercap of $(touch pwned)" / "intel-rapl:0", "package-0")
    counter = zone / "energy_uj"
    counter.chmod(0o400)
    command = grant_command([counter]).replace("sudo ", "")
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    assert counter.stat().st_mode & 0o777 == 0o440
    assert counter.stat().st_gid == os.getgid()
    assert not (tmp_path / "pwned").exists()


def test_an_unprivileged_process_gets_the_remedy_and_no_number(tmp_path: Path) -> None:
    lines = as_nobody(plant(AS_USER, tmp_path / "sys"))
    assert [line.split("|")[:2] for line in lines] == [["unavailable", "cpu"], ["unavailable", "dram"]]
    assert all("CVE-2020-8694" in line and "sudo chgrp" in line for line in lines)
    assert "chmod 0440 class/powercap/intel-rapl:0/energy_uj" in lines[0]


def test_the_remedy_lets_an_unprivileged_process_read(tmp_path: Path) -> None:
    root = plant(SERVER, tmp_path / "sys")
    counters = sorted((root / "devices/virtual/powercap").rglob("energy_uj"))
    for counter in counters:
        counter.chmod(0)
    assert not any(line.startswith("sensor") for line in as_nobody(root))
    group = NOBODY if os.getuid() == 0 else os.getgid()
    command = grant_command(counters).replace("sudo ", "").replace('"$(id -gn)"', str(group))
    subprocess.run(["sh", "-c", command], check=True)
    assert [line.split()[:2] for line in as_nobody(root)] == [
        ["sensor", zone] for zone in ("intel-rapl:0", "intel-rapl:0:0", "intel-rapl:1", "intel-rapl:1:0")
    ]


def test_a_closed_directory_is_told_from_a_machine_without(tmp_path: Path) -> None:
    root = plant(SERVER, tmp_path / "sys")
    (root / "class/powercap").chmod(0)
    lines = as_nobody(root)
    (root / "class/powercap").chmod(0o755)
    assert lines == [
        "unavailable|cpu|class/powercap may not be listed|run the agent as root or with CAP_DAC_READ_SEARCH"
    ]


def test_this_machine_is_told_as_it_is() -> None:
    found = discover()
    try:
        assert found.sensors or found.unavailable
        assert all(one_line(entry) for entry in found.unavailable)
        now_s = SystemClock().monotonic_s()
        assert all(now_s <= sensor.read().at_s for sensor in found.sensors)
    finally:
        close_all(found)
