"""Energy and power of one GPU, by every way that drivers offer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_driver.presets import a100, h100, rtx4090, v100
from fake_driver.script import EnergyCounter, FaultRule, Gpu, Limits, Segment, not_supported
from sensors.nvml.rig import ENERGY_CALL, FIELDS, POWER_CALL, T0_S, rig

LOAD = (Segment(5.0, 1e9, 200.0),)
CARDS = {"a100": a100, "h100": h100, "v100": v100, "rtx4090": rtx4090}
NO_ENERGY = EnergyCounter("none")


def pascal() -> Gpu:
    """A card before Volta: power, but no energy."""
    return v100(name="Tesla P100", architecture=4, energy=NO_ENERGY)


@pytest.mark.parametrize("preset", CARDS.values(), ids=CARDS.keys())
def test_a_read_is_one_call_and_true(tmp_path: Path, preset: Callable[..., Gpu]) -> None:
    gpu = preset(shapes=LOAD)
    with rig(tmp_path, gpu) as machine:
        found = machine.discover()
        assert machine.calls_of("read") == Counter({f"{FIELDS} 0": 1})
        first, last = machine.at(10.0).read(), machine.at(20.0).read()
    assert found["facts"] == [{"uuid": gpu.uuid, "driver": "570.86.15", "method": "counter"}]
    assert found["devices"][0] == {"id": gpu.uuid, "kind": "gpu", "name": gpu.name, "index": "0", "parent": None}
    assert last["counter_uj"] - first["counter_uj"] == pytest.approx(gpu.true_energy_j(10, 20) * 1e6, abs=1000)
    assert (first["at_s"], first["method"]) == (T0_S + 10.0, "counter")
    assert first["power_w"] == pytest.approx(gpu.idle_w + 200.0, abs=0.001)


def test_each_gpu_is_asked_for_itself(tmp_path: Path) -> None:
    with rig(tmp_path, a100(), h100(1), v100(2)) as machine:
        machine.discover()
        assert [machine.calls_of("read", gpu) for gpu in range(3)] == [{f"{FIELDS} {gpu}": 1} for gpu in range(3)]


@pytest.mark.parametrize(
    ("gpu", "period_s", "max_power_w"),
    [(v100(), 0.02, 600.0), (pascal(), 0.02, 600.0), (a100(), 0.1, 800.0), (h100(), 0.1, 1400.0)],
)
def test_traits(tmp_path: Path, gpu: Gpu, period_s: float, max_power_w: float) -> None:
    with rig(tmp_path, gpu) as machine:
        (traits,) = machine.discover()["traits"]
    assert (traits["update_period_s"], traits["counter_modulus_uj"]) == (period_s, None)
    assert traits["max_power_w"] == max_power_w


@pytest.mark.parametrize("highest_w", [0.0, 4294967.0])
def test_a_limit_that_is_missing_or_nonsense_bounds_nothing_real(tmp_path: Path, highest_w: float) -> None:
    with rig(tmp_path, h100(limits=Limits(200, highest_w, 700, 700))) as machine:
        assert machine.discover()["traits"][0]["max_power_w"] == 3000.0


@pytest.mark.parametrize("variant", ["no-fields", "old"])
def test_drivers_without_fields(tmp_path: Path, variant: str) -> None:
    with rig(tmp_path, a100(shapes=LOAD), variant=variant) as machine:
        assert machine.discover()["facts"][0]["method"] == "counter"
        assert machine.calls_of("read") == Counter({f"{ENERGY_CALL} 0": 1, f"{POWER_CALL} 0": 1})
        reading = machine.at(10.0).read()
    gpu = a100(shapes=LOAD)
    assert reading["counter_uj"] == pytest.approx((gpu.true_energy_j(0, 10) + 5e6) * 1e6, abs=1000)
    assert reading["power_w"] == pytest.approx(255.0)


def test_energy_by_the_call_alone(tmp_path: Path) -> None:
    with rig(tmp_path, h100(faults=not_supported("field/83"))) as machine:
        assert machine.discover()["facts"][0]["method"] == "counter"
        assert machine.calls_of("read") == Counter({f"{FIELDS} 0": 1, f"{ENERGY_CALL} 0": 1})
        reading = machine.at(2.0).read()
    assert reading["counter_uj"] == pytest.approx((5e6 + 2 * 70) * 1e6, abs=1000)
    assert reading["power_w"] == pytest.approx(70.0)


def test_energy_by_the_field_alone(tmp_path: Path) -> None:
    with rig(tmp_path, h100(faults=not_supported(ENERGY_CALL, POWER_CALL))) as machine:
        machine.discover()
        assert machine.calls_of("read") == Counter({f"{FIELDS} 0": 1})
        assert machine.read()["counter_uj"] == 5_000_000_000_000


def test_power_is_integrated_where_there_is_no_energy(tmp_path: Path) -> None:
    with rig(tmp_path, pascal()) as machine:
        assert machine.discover()["facts"][0]["method"] == "integrated"
        assert machine.calls_of("read") == Counter({f"{FIELDS} 0": 1})
        reading = machine.at(1.0).read()
    assert (reading["at_s"], reading["counter_uj"], reading["power_w"]) == (T0_S + 1.0, None, 40.0)
    assert reading["method"] == "integrated"


def test_power_by_the_plain_call_where_the_scope_is_refused(tmp_path: Path) -> None:
    with rig(tmp_path, h100(gpu_scope=False, module_w=300.0)) as machine:
        machine.discover()
        assert machine.calls_of("read") == Counter({f"{FIELDS} 0": 1, f"{POWER_CALL} 0": 1})
        assert machine.read()["power_w"] == pytest.approx(70.0)


def test_average_power_is_better_than_none(tmp_path: Path) -> None:
    gpu = h100(faults=not_supported("field/186", POWER_CALL), energy=NO_ENERGY, shapes=LOAD)
    with rig(tmp_path, gpu) as machine:
        machine.discover()
        assert machine.at(5.5).read()["power_w"] == pytest.approx(170.0)


def test_energy_without_any_power(tmp_path: Path) -> None:
    with rig(tmp_path, h100(instant=None, average=None)) as machine:
        machine.discover()
        reading = machine.read()
    assert (reading["counter_uj"], reading["power_w"]) == (5_000_000_000_000, None)


@pytest.mark.parametrize("code", [10, 21, 27, 999])
def test_a_passing_failure_at_discovery_costs_no_source(tmp_path: Path, code: int) -> None:
    rules = (
        FaultRule("field/*", 0.0, 1.0, code=code),
        FaultRule(ENERGY_CALL, 0, 1, code),
        FaultRule(POWER_CALL, 0, 1, code),
    )
    with rig(tmp_path, h100(faults=rules)) as machine:
        assert machine.discover()["facts"][0]["method"] == "counter"
        assert (machine.failure().kind, machine.failure().reason) == ("SensorFailedError", "read_failed")
        machine.at(2.0)
        assert machine.calls_of("read") == Counter({f"{FIELDS} 0": 1})
        assert machine.read()["power_w"] == pytest.approx(70.0)


def test_a_source_that_answers_is_better_than_one_that_may(tmp_path: Path) -> None:
    rules = (FaultRule("field/83", 0.0, 1.0, code=10), *not_supported("field/186"))
    with rig(tmp_path, h100(faults=rules)) as machine:
        machine.discover()
        assert machine.calls_of("read") == Counter({f"{ENERGY_CALL} 0": 1, f"{POWER_CALL} 0": 1})


def test_one_of_two_answers_is_a_reading(tmp_path: Path) -> None:
    rules = (FaultRule("field/83", 10, 20, code=10), FaultRule("field/186", 30, 40, code=999))
    with rig(tmp_path, h100(faults=rules)) as machine:
        machine.discover()
        without_energy, without_power = machine.at(15).read(), machine.at(35).read()
        whole = machine.at(45).read()
    assert (without_energy["counter_uj"], without_energy["method"]) == (None, "integrated")
    assert without_energy["power_w"] == pytest.approx(70.0)
    assert (without_power["power_w"], without_power["method"]) == (None, "counter")
    assert whole["power_w"] == pytest.approx(70.0)
    assert whole["counter_uj"] - without_power["counter_uj"] == 700_000_000


def test_power_above_twice_the_limit_is_not_believed(tmp_path: Path) -> None:
    shapes = (Segment(10.0, 20.0, 1300.0), Segment(30.0, 40.0, 1400.0))
    with rig(tmp_path, h100(shapes=shapes)) as machine:
        machine.discover()
        assert machine.at(15.0).read()["power_w"] == pytest.approx(1370.0)
        beyond = machine.at(35.0).read()
    assert beyond["power_w"] is None
    assert beyond["counter_uj"] is not None


def test_unbelievable_power_without_energy_is_a_failure(tmp_path: Path) -> None:
    with rig(tmp_path, h100(shapes=(Segment(30.0, 40.0, 1400.0),), energy=NO_ENERGY)) as machine:
        machine.discover()
        failure = machine.at(35.0).failure()
        assert (failure.kind, failure.reason) == ("SensorFailedError", "implausible")
        assert machine.at(45.0).read()["power_w"] == pytest.approx(70.0)
