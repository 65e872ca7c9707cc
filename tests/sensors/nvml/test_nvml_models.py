"""What is known of a card's sensors before the first reading (science of A2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aipower.sensors.nvml.fields import AVERAGE, INSTANT, Source
from aipower.sensors.nvml.models import Card, SensorModel, model_of
from fake_driver.parts import FaultRule
from fake_driver.presets import a100, h100, rtx4090, v100
from fake_driver.script import Gpu, not_supported
from sensors.nvml.rig import FIELDS, POWER_CALL, rig

DRAW = POWER_CALL
A100, A40, RTX3090 = "NVIDIA A100-SXM4-80GB", "NVIDIA A40", "NVIDIA GeForce RTX 3090"


def window_s(architecture: int | None, power: Source | None, **card: Any) -> float:
    return model_of(Card(architecture, **card), power).power_window_s


@pytest.mark.parametrize("architecture", [4, 5])
@pytest.mark.parametrize("power", [DRAW, INSTANT])
def test_pascal_and_volta_publish_half_of_every_20_ms(architecture: int, power: Source) -> None:
    assert model_of(Card(architecture), power) == SensorModel(0.02, 0.02, 0.01)


@pytest.mark.parametrize(
    ("architecture", "name", "instant_s", "draw_s"),
    [
        (3, "Tesla M40", 0.1, 0.1),
        (6, "NVIDIA TITAN RTX", 0.1, 0.1),
        (6, "Quadro RTX 8000", 0.02, 0.02),
        (7, A100, 0.025, 0.025),
        (7, "NVIDIA A800-SXM4-80GB", 0.025, 0.025),
        (7, "NVIDIA A30", 0.025, 0.025),
        (7, A40, 0.1, 1.0),
        (7, "NVIDIA RTX A3000 Laptop GPU", 0.1, 1.0),
        (7, RTX3090, 0.1, 1.0),
        (8, "NVIDIA L40S", 0.1, 1.0),
        (9, "NVIDIA H100 80GB HBM3", 0.025, 1.0),
        (10, "NVIDIA B200", 0.025, 1.0),
        (13, "NVIDIA Rubin", 0.025, 1.0),
        (None, "", 0.025, 1.0),
    ],
)
def test_windows(architecture: int | None, name: str, instant_s: float, draw_s: float) -> None:
    assert window_s(architecture, INSTANT, name=name) == instant_s
    assert window_s(architecture, DRAW, name=name) == draw_s
    assert window_s(architecture, AVERAGE, name=name) == 1.0
    assert model_of(Card(architecture, name), DRAW).power_period_s == 0.1


@pytest.mark.parametrize(("driver", "expected_s"), [("525.105.17", 1.0), ("530.30.02", 0.1), ("535.54.03", 1.0)])
def test_driver_530_was_instant_on_the_small_amperes_and_ada(driver: str, expected_s: float) -> None:
    assert window_s(7, DRAW, name=RTX3090, driver=driver) == expected_s
    assert window_s(8, DRAW, driver=driver) == expected_s
    assert window_s(9, DRAW, driver=driver) == 1.0
    assert window_s(7, DRAW, name=A100, driver=driver) == 0.025


def test_the_field_and_the_pci_id_say_more_than_the_name() -> None:
    assert window_s(7, DRAW, name=A100, has_average=True) == 1.0
    assert window_s(7, DRAW, name="Engineering sample", pci_device=0x20B2) == 0.025
    assert window_s(7, DRAW, name=A100, pci_device=0x2235) == 1.0


@pytest.mark.parametrize(
    ("gpu", "driver", "period_s", "expected_s"),
    [
        (v100(), "570.86.15", 0.02, 0.01),
        (a100(), "570.86.15", 0.1, 0.025),
        (a100(name="A card without a name"), "470.82.01", 0.1, 0.025),
        (h100(), "570.86.15", 0.1, 0.025),
        (h100(faults=not_supported("field/186")), "570.86.15", 0.1, 1.0),
        (rtx4090(), "570.86.15", 0.1, 0.1),
        (rtx4090(faults=not_supported("field/186")), "570.86.15", 0.1, 1.0),
        (rtx4090(faults=not_supported("field/186"), draw="instant"), "530.30.02", 0.1, 0.1),
    ],
)
def test_traits_of_whole_cards(tmp_path: Path, gpu: Gpu, driver: str, period_s: float, expected_s: float) -> None:
    with rig(tmp_path, gpu, driver=driver) as machine:
        (traits,) = machine.discover()["traits"]
    assert (traits["update_period_s"], traits["power_period_s"]) == (period_s, period_s)
    assert traits["power_window_s"] == expected_s


def test_a_driver_without_pci_ids_is_told_by_name(tmp_path: Path) -> None:
    with rig(tmp_path, a100(faults=not_supported("nvmlDeviceGetPciInfo_v3"))) as machine:
        assert machine.discover()["traits"][0]["power_window_s"] == 0.025


def test_the_average_comes_with_the_same_call(tmp_path: Path) -> None:
    gpu = h100(faults=(FaultRule("field/185", 20.0, 30.0, code=10),))
    with rig(tmp_path, gpu, a100(1)) as machine:
        machine.discover()
        assert machine.calls_of("read") == {f"{FIELDS} 0": 1}
        assert machine.at(5.0).read()["average_w"] == pytest.approx(70.0)
        without = machine.at(25.0).read()
        assert (without["average_w"], without["power_w"]) == (None, pytest.approx(70.0))
        assert machine.at(35.0).read()["average_w"] == pytest.approx(70.0)
        assert machine.read(1)["average_w"] is None


def test_the_average_is_no_second_source_of_itself(tmp_path: Path) -> None:
    with rig(tmp_path, h100(faults=not_supported("field/186", POWER_CALL))) as machine:
        machine.discover()
        reading = machine.at(5.0).read()
    assert (reading["power_w"], reading["average_w"]) == (pytest.approx(70.0), None)


def test_an_average_above_all_limits_is_not_believed(tmp_path: Path) -> None:
    with rig(tmp_path, h100(offset_w=2000.0)) as machine:
        machine.discover()
        reading = machine.at(5.0).read()
    assert (reading["power_w"], reading["average_w"]) == (None, None)
    assert reading["counter_uj"] is not None


def test_a_driver_without_fields_is_asked_no_more_for_it(tmp_path: Path) -> None:
    with rig(tmp_path, h100(), variant="no-fields") as machine:
        machine.discover()
        assert machine.at(5.0).read()["average_w"] is None
