"""What goes wrong at discovery and midway: each with one remedy, and no session left open."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fake_driver.presets import h100, v100
from fake_driver.script import EnergyCounter, FaultRule, not_supported
from sensors.nvml.rig import ENERGY_CALL, FIELDS, POWER_CALL, Rig, rig

INIT = "nvmlInitWithFlags -"
SHUTDOWN = "nvmlShutdown -"


def only_missing(machine: Rig) -> tuple[str, str, str]:
    """Source, reason and remedy of the only thing that discovery has to say."""
    found = machine.discover()
    assert found["devices"] == []
    assert found["usage"] == []
    (missing,) = found["unavailable"]
    assert missing["kind"] == "gpu"
    assert missing["reason"]
    assert missing["remedy"]
    assert "\n" not in missing["reason"] + missing["remedy"]
    return missing["source"], missing["reason"], missing["remedy"]


def sessions(machine: Rig) -> int:
    """How many are open, had every start worked."""
    calls = machine.calls
    return calls[INIT] - calls[SHUTDOWN]


@pytest.mark.parametrize(
    ("code", "reason", "remedy"),
    [
        (9, "not loaded", "modprobe nvidia"),
        (18, "different versions", "reboot"),
        (4, "no permission", "/dev/nvidiactl"),
        (10, "in time", "try again"),
        (999, "without a reason", "container"),
        (15, "off the bus", "xid"),
        (17, "nvmlInit", "nvidia-smi"),
    ],
)
def test_a_driver_that_does_not_start(tmp_path: Path, code: int, reason: str, remedy: str) -> None:
    with rig(tmp_path, h100(), init_code=code) as machine:
        source, said, advice = only_missing(machine)
        assert machine.calls == Counter({INIT: 1})
    assert source == "GPU (NVML)"
    assert reason in said
    assert remedy in advice


def test_a_driver_without_its_library(tmp_path: Path) -> None:
    """A broken file in front, so that a real driver of this machine is not found either."""
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries" / "libnvidia-ml.so.1").write_bytes(b"not a library")
    with rig(tmp_path, libraries=tmp_path / "libraries") as machine:
        _, reason, remedy = only_missing(machine)
    assert "libnvidia-ml.so.1 is not installed" in reason
    assert "--gpus all" in remedy


def test_a_driver_that_comes_later(tmp_path: Path) -> None:
    with rig(tmp_path, h100(), faults=(FaultRule("nvmlInit*", 0.0, 10.0, code=9),)) as machine:
        only_missing(machine)
        assert len(machine.at(11.0).discover()["devices"]) == 1
        assert machine.read()["power_w"] == pytest.approx(70.0)


def test_a_machine_without_gpus(tmp_path: Path) -> None:
    with rig(tmp_path) as machine:
        _, reason, remedy = only_missing(machine)
        assert sessions(machine) == 0
    assert "no GPU" in reason
    assert "lspci" in remedy


@pytest.mark.parametrize(("code", "remedy"), [(999, "dmesg"), (1, "nvidia-smi")])
def test_gpus_that_cannot_be_counted(tmp_path: Path, code: int, remedy: str) -> None:
    with rig(tmp_path, h100(), faults=(FaultRule("nvmlDeviceGetCount*", code=code),)) as machine:
        assert remedy in only_missing(machine)[2]
        assert sessions(machine) == 0


def test_a_card_with_neither_energy_nor_power(tmp_path: Path) -> None:
    gpu = v100(instant=None, average=None, energy=EnergyCounter("none"))
    with rig(tmp_path, gpu) as machine:
        source, reason, remedy = only_missing(machine)
        assert sessions(machine) == 0
    assert source == "GPU 0"
    assert gpu.name in reason
    assert "cannot be measured" in remedy


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (15, "dmesg"),
        (16, "--gpu-reset"),
        (4, "/dev/nvidia*"),
        (10, "try again"),
        (999, "container"),
        (28, "nvidia-smi"),
    ],
)
def test_one_of_eight_cannot_be_reached(tmp_path: Path, code: int, remedy: str) -> None:
    bad = h100(3, faults=(FaultRule("nvmlDeviceGetHandleBy*", code=code),))
    gpus = [bad if number == 3 else h100(number) for number in range(8)]
    with rig(tmp_path, *gpus) as machine:
        found = machine.discover()
        powers_w = [machine.read(sensor)["power_w"] for sensor in range(7)]
    assert [device["index"] for device in found["devices"]] == ["0", "1", "2", "4", "5", "6", "7"]
    assert found["usage"] == [gpu.uuid for gpu in gpus if gpu is not bad]
    assert powers_w == pytest.approx([70.0] * 7)
    (missing,) = found["unavailable"]
    assert missing["source"] == "GPU 3"
    assert remedy in missing["remedy"]


def test_one_of_eight_is_lost(tmp_path: Path) -> None:
    gpus = [h100(number, lost_s=((0.0, 10.0),) if number == 5 else ()) for number in range(8)]
    with rig(tmp_path, *gpus) as machine:
        found = machine.discover()
        again = machine.at(11.0).discover()
    assert [missing["source"] for missing in found["unavailable"]] == ["GPU 5"]
    assert "off the bus" in found["unavailable"][0]["reason"]
    assert len(again["devices"]) == 8


@pytest.mark.parametrize("function", ["nvmlDeviceGetUUID", FIELDS, "field/83"])
@pytest.mark.parametrize("code", [15, 16])
def test_lost_between_the_handle_and_the_rest(tmp_path: Path, function: str, code: int) -> None:
    """A sensor without its id, or one that can never answer, is worse than none."""
    with rig(tmp_path, h100(faults=(FaultRule(function, code=code),))) as machine:
        assert only_missing(machine)[0] == "GPU 0"
        assert sessions(machine) == 0


def test_a_gpu_without_uuid_goes_by_its_index(tmp_path: Path) -> None:
    with rig(tmp_path, h100(faults=not_supported("nvmlDeviceGetUUID", "nvmlDeviceGetName"))) as machine:
        (device,) = machine.discover()["devices"]
    assert (device["id"], device["name"]) == ("gpu-0", "NVIDIA GPU")


@pytest.mark.parametrize("code", [1, 9, 15, 16, 18, 28])
def test_gone_midway(tmp_path: Path, code: int) -> None:
    with rig(tmp_path, h100(faults=(FaultRule("*", 10.0, 20.0, code=code),)), h100(1)) as machine:
        machine.discover()
        machine.at(15.0)
        for operation in ("read", "collect"):
            failure = machine.failure(operation)
            assert (failure.kind, failure.reason) == ("SensorGoneError", "gone")
            assert f"(NVML {code})" in str(failure)
            assert "\n" not in str(failure)
        assert machine.read(1)["power_w"] == pytest.approx(70.0)


def test_off_the_bus_midway(tmp_path: Path) -> None:
    with rig(tmp_path, h100(lost_s=((10.0, 1e9),)), h100(1)) as machine:
        machine.discover()
        failure = machine.at(15.0).failure()
        assert failure.kind == "SensorGoneError"
        assert "dmesg" in str(failure)
        assert machine.collect(1)["sampled"]


def test_gone_by_one_field_is_gone(tmp_path: Path) -> None:
    """What the other field answers then is what it last knew."""
    with rig(tmp_path, h100(faults=(FaultRule("field/83", 10.0, code=15),))) as machine:
        machine.discover()
        assert machine.at(15.0).failure().kind == "SensorGoneError"


@pytest.mark.parametrize("code", [10, 19, 21, 999])
def test_failures_that_pass(tmp_path: Path, code: int) -> None:
    with rig(tmp_path, h100(faults=(FaultRule("*", 10.0, 20.0, code=code),))) as machine:
        machine.discover()
        machine.at(15.0)
        for operation in ("read", "collect"):
            failure = machine.failure(operation)
            assert (failure.kind, failure.reason) == ("SensorFailedError", "read_failed")
        assert machine.at(25.0).read()["counter_uj"] == (5_000_000 + 25 * 70) * 1_000_000
        assert machine.collect()["span"] == [1015.0, 1025.0]


def test_the_last_sensor_ends_the_session(tmp_path: Path) -> None:
    with rig(tmp_path, h100(), h100(1)) as machine:
        machine.discover()
        for _ in range(2):
            machine.close(0)
        assert machine.calls[SHUTDOWN] == 0
        assert machine.read(1)["power_w"] == pytest.approx(70.0)
        for _ in range(2):
            machine.close(1)
            assert machine.calls[SHUTDOWN] == 1
        assert machine.failure("read", 1).kind == "SensorGoneError"
        assert machine.failure("collect", 1).kind == "SensorGoneError"
        assert (machine.calls[INIT], sessions(machine)) == (1, 0)


def test_found_again_after_the_end(tmp_path: Path) -> None:
    with rig(tmp_path, h100()) as machine:
        machine.discover()
        machine.close()
        machine.discover()
        assert machine.read()["power_w"] == pytest.approx(70.0)
        machine.close()
        assert (machine.calls[INIT], machine.calls[SHUTDOWN]) == (2, 2)


def test_a_failing_end_is_no_error(tmp_path: Path) -> None:
    with rig(tmp_path, h100(), faults=(FaultRule("nvmlShutdown", code=999),)) as machine:
        machine.discover()
        machine.close()
        assert machine.calls[SHUTDOWN] == 1


def test_power_alone_may_fail_for_good(tmp_path: Path) -> None:
    rules = (FaultRule("field/186", 10.0, code=3), FaultRule(POWER_CALL, 10.0, code=3), FaultRule(ENERGY_CALL, code=3))
    with rig(tmp_path, h100(faults=rules)) as machine:
        machine.discover()
        reading = machine.at(15.0).read()
    assert (reading["power_w"], reading["method"]) == (None, "counter")
