"""One zone's sensor: its number, its stamp, its wrap, and a typed error for everything else."""

import errno
import shutil
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.errors import SensorFailedError, SensorGoneError
from aipower.seams import Sensor
from aipower.sensors.rapl import RaplSensor, discover
from aipower.sensors.rapl.zone import modulus_uj
from sensors.powercap import (
    AMD_RANGE_UJ,
    DRAM_RANGE_UJ,
    INTEL_RANGE_UJ,
    Counter,
    FakeClock,
    FaultyIo,
    failure,
    open_below,
    put_zone,
)

RANGES_UJ = [INTEL_RANGE_UJ, DRAM_RANGE_UJ, AMD_RANGE_UJ]


def only_sensor(root: Path, clock: FakeClock | None = None, io: FaultyIo | None = None) -> Sensor:
    (sensor,) = discover(root, clock or FakeClock(), io=io or FaultyIo()).sensors
    return sensor


def test_a_reading_is_the_counter_as_the_kernel_keeps_it(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0", energy_uj=INTEL_RANGE_UJ)
    sensor = only_sensor(tmp_path)
    assert isinstance(sensor, RaplSensor)
    assert sensor.read().counter_uj == sensor.counter_uj() == INTEL_RANGE_UJ
    sensor.close()


def test_a_reading_is_stamped_at_its_middle(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0")
    clock = FakeClock(now_s=50.0, read_cost_s=0.25)
    sensor = only_sensor(tmp_path, clock)
    began_s = clock.now_s
    assert sensor.read().at_s == began_s + 0.125
    sensor.close()


def test_the_descriptor_of_discovery_serves_every_read(tmp_path: Path) -> None:
    zone = put_zone(tmp_path / "intel-rapl:0", "package-0", energy_uj=1)
    io = FaultyIo()
    sensor = only_sensor(tmp_path, io=io)
    for energy_uj in (2, 30, 4):
        (zone / "energy_uj").write_text(f"{energy_uj}\n")
        assert sensor.read().counter_uj == energy_uj
    assert io.opened.count("energy_uj") == 1
    sensor.close()


@pytest.mark.parametrize("number", [errno.EIO, errno.ENODATA, errno.EACCES, errno.EPERM, errno.EINTR, errno.EINVAL])
def test_a_failed_read_is_an_error_and_the_next_may_work(number: int, tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0", energy_uj=5)
    io = FaultyIo()
    sensor = only_sensor(tmp_path, io=io)
    io.reads = [failure(number)]
    with pytest.raises(SensorFailedError, match=errno.errorcode[number]) as caught:
        sensor.read()
    assert caught.value.reason == "read_failed"
    assert sensor.read().counter_uj == 5
    assert io.opened.count("energy_uj") == 1
    sensor.close()


@pytest.mark.parametrize("number", [errno.ENODEV, errno.ENXIO, errno.ENOENT])
def test_a_stale_descriptor_is_replaced_within_the_read(number: int, tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0", energy_uj=5)
    io = FaultyIo()
    sensor = only_sensor(tmp_path, io=io)
    io.reads = [failure(number)]
    assert sensor.read().counter_uj == 5
    assert len(open_below(tmp_path)) == 1
    sensor.close()


def test_a_zone_that_left_is_gone_until_it_returns(tmp_path: Path) -> None:
    zone = put_zone(tmp_path / "intel-rapl:0", "package-0", energy_uj=5)
    io = FaultyIo()
    sensor = only_sensor(tmp_path, io=io)
    shutil.rmtree(zone)
    io.reads = [failure(errno.ENODEV)]
    for _ in range(2):
        with pytest.raises(SensorGoneError) as caught:
            sensor.read()
        assert caught.value.reason == "gone"
    put_zone(tmp_path / "intel-rapl:0", "package-0", energy_uj=6)
    assert sensor.read().counter_uj == 6
    sensor.close()


def test_a_driver_that_stays_unloaded_is_gone(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0")
    io = FaultyIo()
    sensor = only_sensor(tmp_path, io=io)
    io.reads = [failure(errno.ENODEV), failure(errno.ENODEV)]
    with pytest.raises(SensorGoneError):
        sensor.read()
    sensor.close()


def test_a_right_that_was_lost_is_a_failure_not_a_departure(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0")
    io = FaultyIo()
    sensor = only_sensor(tmp_path, io=io)
    io.reads, io.opens = [failure(errno.ENODEV)], [failure(errno.EACCES)]
    with pytest.raises(SensorFailedError, match="EACCES"):
        sensor.read()
    sensor.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\n", b"123\n456\n", b"-5\n", b"+5\n", b" 5\n", b"5 \n", b"0x10\n", b"1e6\n", b"1.5\n",
        b"1_0\n",
        b"nan\n", b"\xff\xfe\n", "\u0665\n".encode(), b"9" * 21 + b"\n",
        b"9" * 64,
        b"262143328851\n", b"5\x00\n",
    ],
)  # fmt: skip
def test_what_is_not_a_whole_number_in_range_is_a_failure(raw: bytes, tmp_path: Path) -> None:
    zone = put_zone(tmp_path / "intel-rapl:0", "package-0")
    (zone / "energy_uj").write_bytes(raw)
    sensor = only_sensor(tmp_path)
    with pytest.raises(SensorFailedError, match="energy_uj") as caught:
        sensor.read()
    assert caught.value.reason == "read_failed"
    sensor.close()


def test_a_real_input_error_is_a_failure(tmp_path: Path) -> None:
    zone = put_zone(tmp_path / "intel-rapl:0", "package-0")
    (zone / "energy_uj").unlink()
    # The first page of a process is never mapped, so the kernel answers EIO.
    (zone / "energy_uj").symlink_to("/proc/self/mem")
    sensor = only_sensor(tmp_path)
    with pytest.raises(SensorFailedError, match="EIO"):
        sensor.read()
    sensor.close()


def test_a_directory_in_place_of_the_counter_is_a_failure(tmp_path: Path) -> None:
    zone = put_zone(tmp_path / "intel-rapl:0", "package-0")
    (zone / "energy_uj").unlink()
    (zone / "energy_uj").mkdir()
    sensor = only_sensor(tmp_path)
    with pytest.raises(SensorFailedError, match="EISDIR"):
        sensor.read()
    sensor.close()


def test_a_closed_sensor_opens_nothing(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0")
    sensor = only_sensor(tmp_path)
    sensor.close()
    sensor.close()
    with pytest.raises(SensorFailedError, match="was closed"):
        sensor.read()
    assert open_below(tmp_path) == []


@pytest.mark.parametrize("content", ["0\n", "", "none\n", "-1\n", None])
def test_without_a_range_the_counter_has_no_modulus(content: str | None, tmp_path: Path) -> None:
    zone = put_zone(tmp_path / "intel-rapl:0", "package-0", energy_uj=10**15)
    (zone / "max_energy_range_uj").unlink()
    if content is not None:
        (zone / "max_energy_range_uj").write_text(content)
    sensor = only_sensor(tmp_path)
    assert sensor.traits.counter_modulus_uj is None
    assert sensor.read().counter_uj == 10**15
    sensor.close()


@pytest.mark.parametrize(
    ("range_uj", "unit_uj"),
    [
        (INTEL_RANGE_UJ, 61),
        (DRAM_RANGE_UJ, 15),
        (AMD_RANGE_UJ, 15),
        (2**32 - 1, 1),
        ((2**32 - 1) * 8 // 5, 2),
        (1000, 1),
        ((2**32 - 1) * 10**6, 10**6),
    ],
)
def test_the_modulus_is_the_range_and_one_unit(range_uj: int, unit_uj: int) -> None:
    assert modulus_uj(range_uj) == range_uj + unit_uj


@given(unit_nj=st.integers(1_000, 10**9))
def test_the_modulus_is_within_a_microjoule_of_the_registers(unit_nj: int) -> None:
    range_uj = (2**32 - 1) * unit_nj // 1000
    modulus = modulus_uj(range_uj)
    assert modulus is not None
    assert abs(modulus - Fraction(2**32 * unit_nj, 1000)) < 2


@settings(max_examples=60, deadline=None)
@given(
    range_uj=st.sampled_from(RANGES_UJ),
    fraction=st.floats(0, 1),
    script=st.lists(st.tuples(st.floats(0, 1500), st.floats(0.001, 40)), min_size=1, max_size=30),
)
def test_deltas_over_wraps_are_the_energy_used(
    range_uj: int, fraction: float, script: list[tuple[float, float]]
) -> None:
    with TemporaryDirectory() as folder:
        zone = put_zone(
            Path(folder) / "intel-rapl:0", "package-0", energy_uj=int(range_uj * fraction), range_uj=range_uj
        )
        counter, clock = Counter(zone), FakeClock()
        clock.on_pass.append(counter.advance)
        sensor = only_sensor(Path(folder), clock)
        modulus = sensor.traits.counter_modulus_uj
        assert modulus is not None
        last_uj, total_uj = sensor.read().counter_uj, 0
        for power_w, seconds in script:
            counter.power_w = power_w
            clock.sleep(seconds)
            now_uj = sensor.read().counter_uj
            assert last_uj is not None
            assert now_uj is not None
            total_uj, last_uj = total_uj + (now_uj - last_uj) % modulus, now_uj
        sensor.close()
    wraps = total_uj // range_uj + 1
    assert abs(total_uj - counter.used_uj) <= counter.unit_nj / 1000 + 1 + wraps
