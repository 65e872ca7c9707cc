"""Which zones are counted, on small trees that hold one trap each."""

from pathlib import Path

import pytest

from aipower.sensors.rapl import discover
from sensors.powercap import FakeClock, close_all, ids, put_zone


def counted(root: Path) -> list[str]:
    found = discover(root, FakeClock())
    close_all(found)
    return ids(found)


@pytest.mark.parametrize("name", ["core", "uncore", "psys", "package-0", "gpu", ""])
def test_inside_a_package_only_dram_is_counted(name: str, tmp_path: Path) -> None:
    package = put_zone(tmp_path / "intel-rapl" / "intel-rapl:0", "package-0")
    put_zone(package / "intel-rapl:0:0", name, energy_uj=10**11)
    put_zone(package / "intel-rapl:0:1", "dram")
    assert counted(tmp_path) == ["intel-rapl:0", "intel-rapl:0:1"]


@pytest.mark.parametrize(
    "name",
    [
        "psys", "dram", "core", "package", "package-", "package-0-die", "package-0-die-", "package-0 ",
        " package-0", "xpackage-0", "package-0\n", "package-٣", "package--1", "PACKAGE-0",
        "package-0-die-0-die-1",
    ],
)  # fmt: skip
def test_no_other_top_level_name_is_a_package(name: str, tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", name)
    put_zone(tmp_path / "intel-rapl:1", "package-1")
    assert counted(tmp_path) == ["intel-rapl:1"]


def test_dram_of_psys_is_not_counted(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0")
    psys = put_zone(tmp_path / "intel-rapl:1", "psys")
    put_zone(psys / "intel-rapl:1:0", "dram")
    assert counted(tmp_path) == ["intel-rapl:0"]


def test_dram_deeper_than_the_package_is_not_counted(tmp_path: Path) -> None:
    core = put_zone(tmp_path / "intel-rapl:0" / "intel-rapl:0:0", "core")
    put_zone(tmp_path / "intel-rapl:0", "package-0")
    put_zone(core / "intel-rapl:0:0:0", "dram")
    assert counted(tmp_path) == ["intel-rapl:0"]


def test_mmio_counts_only_the_sockets_that_msr_lacks(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl" / "intel-rapl:0", "package-0")
    for number in (0, 1):
        zone = put_zone(tmp_path / "intel-rapl-mmio" / f"intel-rapl-mmio:{number}", f"package-{number}")
        put_zone(zone / f"intel-rapl-mmio:{number}:0", "dram")
    assert counted(tmp_path) == ["intel-rapl:0", "intel-rapl-mmio:1", "intel-rapl-mmio:1:0"]


def test_mmio_serves_where_the_msr_zone_has_no_counter(tmp_path: Path) -> None:
    (put_zone(tmp_path / "intel-rapl:0", "package-0") / "energy_uj").unlink()
    put_zone(tmp_path / "intel-rapl-mmio:0", "package-0")
    assert counted(tmp_path) == ["intel-rapl-mmio:0"]


def test_mmio_of_a_whole_package_repeats_the_dies_of_msr(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0-die-0", energy_uj=10**9)
    put_zone(tmp_path / "intel-rapl:1", "package-0-die-1", energy_uj=10**11)
    put_zone(tmp_path / "intel-rapl-mmio:0", "package-0", energy_uj=2 * 10**11)
    assert counted(tmp_path) == ["intel-rapl:0", "intel-rapl:1"]


def test_a_zone_without_a_counter_is_skipped(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0")
    (put_zone(tmp_path / "intel-rapl:1", "package-1") / "energy_uj").unlink()
    assert counted(tmp_path) == ["intel-rapl:0"]


def test_a_disabled_control_type_still_counts(tmp_path: Path) -> None:
    zone = put_zone(tmp_path / "intel-rapl" / "intel-rapl:0", "package-0", energy_uj=7)
    (tmp_path / "intel-rapl" / "enabled").write_text("0\n")
    (zone / "enabled").write_text("0\n")
    found = discover(tmp_path, FakeClock())
    assert [sensor.read().counter_uj for sensor in found.sensors] == [7]
    close_all(found)


@pytest.mark.parametrize("control_type", ["arm-scmi", "dtpm", "intel-rapl2", "xintel-rapl", "intel_rapl"])
def test_other_control_types_are_not_rapl(control_type: str, tmp_path: Path) -> None:
    put_zone(tmp_path / control_type / f"{control_type}:0", "package-0")
    put_zone(tmp_path / f"{control_type}:0", "package-0")
    assert counted(tmp_path) == []


def test_zones_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        put_zone(tmp_path / f"intel-rapl:{number}", f"package-{number}")
    assert counted(tmp_path) == ["intel-rapl:0", "intel-rapl:2", "intel-rapl:10"]


def test_flat_and_nested_copies_are_one_zone(tmp_path: Path) -> None:
    nested = put_zone(tmp_path / "intel-rapl" / "intel-rapl:0", "package-0")
    put_zone(nested / "intel-rapl:0:0", "dram")
    (tmp_path / "intel-rapl:0").symlink_to("intel-rapl/intel-rapl:0")
    (tmp_path / "intel-rapl:0:0").symlink_to("intel-rapl/intel-rapl:0/intel-rapl:0:0")
    assert counted(tmp_path) == ["intel-rapl:0", "intel-rapl:0:0"]


def test_flat_links_alone_suffice(tmp_path: Path) -> None:
    for number, name in enumerate(["package-0", "package-1"]):
        put_zone(tmp_path / "elsewhere" / f"zone-{number}", name)
        (tmp_path / f"intel-rapl:{number}").symlink_to(f"elsewhere/zone-{number}")
    assert counted(tmp_path) == ["intel-rapl:0", "intel-rapl:1"]


def test_links_that_lead_back_up_end(tmp_path: Path) -> None:
    zone = put_zone(tmp_path / "intel-rapl" / "intel-rapl:0", "package-0")
    (zone / "subsystem").symlink_to(tmp_path)
    (zone / "intel-rapl:0:0").symlink_to(zone)
    (zone / "intel-rapl:0:1").symlink_to("intel-rapl:0:1")
    assert counted(tmp_path) == ["intel-rapl:0"]


def test_sockets_give_the_index_and_cpuinfo_the_name(tmp_path: Path) -> None:
    package = put_zone(tmp_path / "sys" / "intel-rapl:0", "package-3")
    put_zone(package / "intel-rapl:0:0", "dram")
    blocks = [(2, "Old CPU"), (3, "Fine CPU 9000 @ 3.00GHz")]
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("".join(f"processor\t: 0\nmodel name\t: {m}\nphysical id\t: {s}\n\n" for s, m in blocks))
    found = discover(tmp_path / "sys", FakeClock(), cpuinfo=cpuinfo)
    names = [(sensor.device.index, sensor.device.name) for sensor in found.sensors]
    assert names == [("3", "package-3 (Fine CPU 9000 @ 3.00GHz)"), ("3", "dram of package-3")]
    close_all(found)


@pytest.mark.parametrize(
    "text",
    [
        "", "model name: X\n", "physical id: 0\n", "physical id: 0\nmodel name:\n",
        "physical id: ²\nmodel name: X\n",
        "physical id: -1\nmodel name: X\n", "physical id: 0\nmodel name: \x1b[31mred\n",
        "physical id: 7\nmodel name: X\n",
        f"physical id: {'9' * 5000}\nmodel name: X\n",
    ],
)  # fmt: skip
def test_a_strange_cpuinfo_leaves_the_zone_name(text: str, tmp_path: Path) -> None:
    put_zone(tmp_path / "sys" / "intel-rapl:0", "package-0")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(text)
    for path in (cpuinfo, tmp_path / "nothing", tmp_path):
        found = discover(tmp_path / "sys", FakeClock(), cpuinfo=path)
        assert [sensor.device.name for sensor in found.sensors] == ["package-0"]
        close_all(found)
