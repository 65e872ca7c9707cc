"""One meter shown by several dies counts once; meters that are really several all count."""

import errno
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.sensors.rapl import discover
from aipower.sensors.rapl.mirror import SLACK_UJ, STEP_S, TRIES
from sensors.powercap import (
    AMD_RANGE_UJ,
    INTEL_RANGE_UJ,
    Counter,
    FakeClock,
    FaultyIo,
    close_all,
    failure,
    ids,
    open_below,
    plant,
    put_zone,
)

THREADRIPPER = "linux-5.15__amd-threadripper-1950x"
CASCADE_LAKE_AP = "linux-5.10__intel-xeon-platinum-9242-x2"


def dies(root: Path, *energies_uj: int, range_uj: int = AMD_RANGE_UJ, socket: int = 0) -> list[Path]:
    return [
        put_zone(root / f"intel-rapl:{n}", f"package-{socket}-die-{n}", energy_uj=energy_uj, range_uj=range_uj)
        for n, energy_uj in enumerate(energies_uj)
    ]


def running(*counters: Counter) -> FakeClock:
    return FakeClock(on_pass=[counter.advance for counter in counters])


def counted(root: Path, clock: FakeClock) -> list[str]:
    found = discover(root, clock)
    close_all(found)
    return ids(found)


@pytest.mark.parametrize("power_w", [0.5, 68.0, 137.0, 1900.0])
@pytest.mark.parametrize("lag_s", [0.0, 0.0005, 0.001])
def test_a_running_mirror_counts_once(power_w: float, lag_s: float, tmp_path: Path) -> None:
    first, second = dies(tmp_path, 9 * 10**9, 9 * 10**9)
    clock = running(Counter(first, power_w), Counter(second, power_w, lag_s=lag_s))
    assert counted(tmp_path, clock) == ["intel-rapl:0"]


def test_a_mirror_counts_once_while_it_wraps(tmp_path: Path) -> None:
    first, second = dies(tmp_path, AMD_RANGE_UJ - 10_000, AMD_RANGE_UJ - 10_000)
    clock = running(Counter(first, 100.0), Counter(second, 100.0))
    assert counted(tmp_path, clock) == ["intel-rapl:0"]


def test_four_mirrored_dies_are_one_device(tmp_path: Path) -> None:
    zones = dies(tmp_path, *[10**9] * 4)
    assert counted(tmp_path, running(*(Counter(zone, 180.0) for zone in zones))) == ["intel-rapl:0"]


def test_the_mirrored_machine_measures_its_socket_once(tmp_path: Path) -> None:
    root = plant(THREADRIPPER, tmp_path)
    folder = root / "devices/virtual/powercap/intel-rapl"
    (folder / "intel-rapl:1/energy_uj").write_text((folder / "intel-rapl:0/energy_uj").read_text())
    clock = running(*(Counter(folder / f"intel-rapl:{n}", 68.0) for n in (0, 1)))
    found = discover(root, clock)
    before = sum(sensor.read().counter_uj or 0 for sensor in found.sensors)
    clock.sleep(10)
    after = sum(sensor.read().counter_uj or 0 for sensor in found.sensors)
    assert abs(after - before - 680 * 10**6) < 100
    close_all(found)


def test_a_mirror_leaves_no_descriptor_open(tmp_path: Path) -> None:
    found = discover(plant(THREADRIPPER, tmp_path), FakeClock())
    assert len(open_below(tmp_path)) == 1
    close_all(found)


def test_separate_dies_that_run_both_count(tmp_path: Path) -> None:
    root = plant(CASCADE_LAKE_AP, tmp_path)
    folder = root / "devices/virtual/powercap/intel-rapl"
    clock = running(*(Counter(folder / f"intel-rapl:{n}", 100.0 + n) for n in range(4)))
    found = discover(root, clock)
    packages = [sensor.device for sensor in found.sensors if sensor.device.kind == "cpu"]
    assert [device.index for device in packages] == ["0", "0", "1", "1"]
    assert len({device.id for device in packages}) == 4
    close_all(found)


@pytest.mark.parametrize("apart_uj", [1_000_000, 5_000_000, SLACK_UJ - 1])
@pytest.mark.parametrize("power_w", [40.0, 250.0])
def test_separate_dies_shortly_after_boot_are_near_and_both_count(
    apart_uj: int, power_w: float, tmp_path: Path
) -> None:
    first, second = dies(tmp_path, 10**9, 10**9 + apart_uj)
    clock = running(Counter(first, power_w), Counter(second, power_w))
    assert counted(tmp_path, clock) == ["intel-rapl:0", "intel-rapl:1"]


@pytest.mark.parametrize(
    ("apart_uj", "count"),
    [(0, 1), (SLACK_UJ, 1), (-SLACK_UJ, 1), (SLACK_UJ + 1, 2), (-SLACK_UJ - 1, 2)],
)
def test_counters_that_stand_still_are_compared_by_distance(apart_uj: int, count: int, tmp_path: Path) -> None:
    dies(tmp_path, 10**9, 10**9 + apart_uj)
    assert len(counted(tmp_path, FakeClock())) == count


def test_the_distance_of_still_counters_crosses_the_wrap(tmp_path: Path) -> None:
    dies(tmp_path, AMD_RANGE_UJ - 5, 5)
    assert counted(tmp_path, FakeClock()) == ["intel-rapl:0"]


def test_dies_with_different_ranges_are_separate(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0-die-0", energy_uj=9, range_uj=AMD_RANGE_UJ)
    put_zone(tmp_path / "intel-rapl:1", "package-0-die-1", energy_uj=9, range_uj=INTEL_RANGE_UJ)
    assert len(counted(tmp_path, FakeClock())) == 2


@pytest.mark.parametrize("missing", [(0,), (1,), (0, 1)])
def test_a_mirror_is_told_without_a_range_too(missing: tuple[int, ...], tmp_path: Path) -> None:
    zones = dies(tmp_path, 10**9, 10**9)
    clock = running(*(Counter(zone, 68.0) for zone in zones))
    for number in missing:
        (zones[number] / "max_energy_range_uj").unlink()
    assert counted(tmp_path, clock) == ["intel-rapl:0"]


def test_sockets_are_never_mirrors(tmp_path: Path) -> None:
    for number in (0, 1):
        put_zone(tmp_path / f"intel-rapl:{number}", f"package-{number}", energy_uj=10**9)
    clock = FakeClock()
    assert counted(tmp_path, clock) == ["intel-rapl:0", "intel-rapl:1"]
    assert clock.slept_s == 0


def test_a_mirrors_dram_is_dropped_with_it(tmp_path: Path) -> None:
    for number, zone in enumerate(dies(tmp_path, 10**9, 10**9)):
        put_zone(zone / f"intel-rapl:{number}:0", "dram", energy_uj=number * 10**9)
    assert counted(tmp_path, FakeClock()) == ["intel-rapl:0", "intel-rapl:0:0"]


def test_a_reset_during_the_test_proves_nothing(tmp_path: Path) -> None:
    first, _ = dies(tmp_path, 40 * 10**9, 50 * 10**9)

    def reset(_: float) -> None:
        (first / "energy_uj").write_text("0\n")

    # From 40 kJ over the wrap to 0 the counter seems to pass the other die's 50 kJ.
    assert counted(tmp_path, FakeClock(on_pass=[reset])) == ["intel-rapl:0", "intel-rapl:1"]


@pytest.mark.parametrize("failing", range(3))
def test_a_die_that_cannot_be_compared_is_left_out_and_said(failing: int, tmp_path: Path) -> None:
    dies(tmp_path, 10**9, 5 * 10**10)
    plain_reads = 4  # the name and the range of each die
    io = FaultyIo(reads=[*[None] * (plain_reads + failing), failure(errno.EIO)])
    found = discover(tmp_path, FakeClock(), io=io)
    assert ids(found) == ["intel-rapl:0"]
    (entry,) = [entry for entry in found.unavailable if entry.kind == "cpu"]
    assert entry.reason.startswith("intel-rapl:1 may show the meter of intel-rapl:0 again")
    assert "EIO" in entry.reason
    assert len(open_below(tmp_path)) == 1
    close_all(found)


def test_the_whole_test_sleeps_ten_milliseconds_at_most(tmp_path: Path) -> None:
    dies(tmp_path, 10**9, 10**9 + 1)
    clock = FakeClock()
    counted(tmp_path, clock)
    assert clock.slept_s == pytest.approx(2 * TRIES * STEP_S)
    assert clock.slept_s <= 0.0101


@settings(max_examples=80, deadline=None)
@given(
    start_uj=st.integers(0, AMD_RANGE_UJ),
    power_w=st.floats(0, 1900),
    lag_s=st.floats(0, STEP_S),
)
def test_every_mirror_is_found(start_uj: int, power_w: float, lag_s: float) -> None:
    with TemporaryDirectory() as folder:
        first, second = dies(Path(folder), start_uj, start_uj)
        clock = running(Counter(first, power_w), Counter(second, power_w, lag_s=lag_s))
        # Time before discovery, so that both files show counters of their own history.
        clock.sleep(1.0)
        assert counted(Path(folder), clock) == ["intel-rapl:0"]


@settings(max_examples=80, deadline=None)
@given(
    start_uj=st.integers(0, AMD_RANGE_UJ),
    apart_uj=st.integers(2 * SLACK_UJ, AMD_RANGE_UJ - 2 * SLACK_UJ),
    first_w=st.floats(0, 900),
    second_w=st.floats(0, 900),
)
def test_meters_that_are_apart_both_count(start_uj: int, apart_uj: int, first_w: float, second_w: float) -> None:
    with TemporaryDirectory() as folder:
        first, second = dies(Path(folder), start_uj, (start_uj + apart_uj) % AMD_RANGE_UJ)
        clock = running(Counter(first, first_w), Counter(second, second_w))
        assert counted(Path(folder), clock) == ["intel-rapl:0", "intel-rapl:1"]
