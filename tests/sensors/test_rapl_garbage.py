"""Whatever the files hold, there is a true number or a SensorError, never a made-up number."""

import contextlib
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aipower.errors import SensorError, SensorFailedError, SensorGoneError
from aipower.sensors.rapl import discover
from aipower.sensors.rapl.files import number
from sensors.powercap import FakeClock, FaultyIo, close_all, failure, put_zone

NEAR_NUMBERS = st.from_regex(rb"[ +\-]?[0-9a-fx_.]{0,24}[\n\r \x00]{0,2}", fullmatch=True)
GARBAGE = st.one_of(st.binary(max_size=100), NEAR_NUMBERS, st.integers(0, 2**64).map(lambda n: b"%d\n" % n))
NAMES = st.sampled_from([b"package-0\n", b"package-0-die-1\n", b"dram\n", b"psys\n", b"core\n"])
PLAIN = re.compile(rb"([0-9]{1,20})\n?")


def truth(raw: bytes) -> int | None:
    """The only number that `raw` can mean."""
    match = PLAIN.fullmatch(raw)
    return int(match[1]) if match else None


@settings(max_examples=300, deadline=None)
@given(energy=GARBAGE, top=GARBAGE)
@example(energy=b"1\n", top=b"0\n")
@example(energy=b"12", top=b"262143328850\n")
def test_a_counter_is_read_exactly_or_not_at_all(energy: bytes, top: bytes) -> None:
    with TemporaryDirectory() as folder:
        zone = put_zone(Path(folder) / "intel-rapl:0", "package-0")
        (zone / "energy_uj").write_bytes(energy)
        (zone / "max_energy_range_uj").write_bytes(top)
        (sensor,) = discover(Path(folder), FakeClock()).sensors
        meant, range_uj = truth(energy), truth(top) or 0
        believable = meant is not None and (range_uj == 0 or meant <= range_uj)
        try:
            assert sensor.read().counter_uj == meant
            assert believable
        except SensorError:
            assert not believable
        finally:
            sensor.close()
        modulus_uj = sensor.traits.counter_modulus_uj
        assert (modulus_uj is None) == (range_uj == 0)
        assert modulus_uj is None or modulus_uj > range_uj


@settings(max_examples=200, deadline=None)
@given(
    files=st.lists(st.tuples(st.one_of(NAMES, GARBAGE), GARBAGE, GARBAGE), min_size=1, max_size=4),
    cpu=GARBAGE,
)
def test_discovery_of_garbage_raises_nothing(files: list[tuple[bytes, bytes, bytes]], cpu: bytes) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder) / "powercap"
        for index, (name, energy, top) in enumerate(files):
            zone = put_zone(root / f"intel-rapl:{index}", "")
            (zone / "name").write_bytes(name)
            (zone / "energy_uj").write_bytes(energy)
            (zone / "max_energy_range_uj").write_bytes(top)
        (root.parent / "cpuinfo").write_bytes(cpu)
        found = discover(root, FakeClock(), cpuinfo=root.parent / "cpuinfo")
        close_all(found)
        packages = sum(name.startswith(b"package-") for name, _, _ in files)
        assert len(found.sensors) <= packages
        assert found.sensors or found.unavailable


@settings(max_examples=200, deadline=None)
@given(
    opens=st.lists(st.one_of(st.none(), st.integers(1, 133).map(failure)), max_size=8),
    reads=st.lists(st.one_of(st.none(), GARBAGE, st.integers(1, 133).map(failure)), max_size=14),
)
def test_no_sequence_of_failing_calls_escapes(
    opens: list[OSError | None], reads: list[OSError | bytes | None]
) -> None:
    with TemporaryDirectory() as folder:
        for die in (0, 1):
            put_zone(Path(folder) / f"intel-rapl:{die}", f"package-0-die-{die}", energy_uj=(die + 1) * 10**10)
        possible = {10**10, 2 * 10**10} | {truth(raw) for raw in reads if isinstance(raw, bytes)}
        found = discover(Path(folder), FakeClock(), io=FaultyIo(opens=opens, reads=reads))
        for sensor in found.sensors:
            with contextlib.suppress(SensorFailedError, SensorGoneError):
                assert sensor.read().counter_uj in possible - {None}
        close_all(found)


@given(st.binary(max_size=64))
def test_a_number_is_digits_and_perhaps_a_newline(raw: bytes) -> None:
    meant = truth(raw)
    if meant is None:
        with pytest.raises(ValueError, match="is not a number"):
            number(raw)
    else:
        assert number(raw) == meant


@given(st.integers(0, 10**20 - 1))
def test_every_number_of_the_kernel_is_read(value: int) -> None:
    assert number(b"%d\n" % value) == value


@given(st.integers(0, 10**20 - 1))
def test_a_copied_tree_may_have_lost_its_newlines(value: int) -> None:
    assert number(b"%d" % value) == value
