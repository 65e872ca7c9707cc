"""`aipower-run` against sensors whose true energy is known: the scripted NVIDIA driver and a powercap tree."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fake_driver.build import library
from fake_driver.presets import a100, h100, rtx4090, v100
from fake_driver.script import (
    Busy,
    EnergyCounter,
    FaultRule,
    Gpu,
    Machine,
    Process,
    Sampler,
    Segment,
    Square,
    not_supported,
    pid_in,
)  # fmt: skip
from run.aipower_run import Done, call, sum_of_parts_j
from run.helpers import eventually
from sensors.powercap import plant, put_zone

CLOSE = 0.02
"""The promise is 1 %; tests/energy proves it with its own clock. Here a starved machine may stamp a read late."""
WORK_S = 5.5
WORK = f"echo $$ > pid; sleep {WORK_S}"


def measure(folder: Path, machine: Machine, *words: str, variant: str = "full") -> Done:
    env = machine.environment(library(variant), machine.write(folder / "machine.txt"))
    return call(folder, *(words or ("sh", "-c", WORK)), env=env)


def window(machine: Machine, done: Done) -> tuple[float, float]:
    """When the run was, in the machine's time."""
    start_s = done.record["started_unix_s"] - machine.wall_offset_s - machine.t0_s
    return start_s, start_s + done.record["wall_s"]


def assert_parts_sum(done: Done) -> None:
    for device in done.record["devices"]:
        if device["energy_j"] is not None:
            parts_j = sum_of_parts_j(device)
            assert parts_j == pytest.approx(device["energy_j"], abs=3e-6)


def working(gpu: Gpu, folder: Path, busy: float = 80.0) -> Gpu:
    """`gpu` with the command as its only process, from its start."""
    process = Process(pid_in(folder / "pid"), busy=(Busy(0, 1000, busy),), only_alive=True)
    return dataclasses.replace(gpu, processes=(process,), sampler=Sampler("each"))


@pytest.mark.parametrize("card", [h100, a100, v100, rtx4090], ids=lambda card: card.__name__)
def test_device_energy_is_the_true_one(card: object, tmp_path: Path) -> None:
    assert callable(card)
    load = (Segment(0.8, 4.6, 320.0), Square(1.5, 4.0, 60.0, 0.31, 0.4))
    gpu: Gpu = working(
        dataclasses.replace(card(0, shapes=load), energy=dataclasses.replace(card().energy, phase_ms=37.0)), tmp_path
    )
    machine = Machine((gpu,))
    done = measure(tmp_path, machine)
    truth_j = gpu.true_energy_j(*window(machine, done))
    (device,) = done.record["devices"]
    assert device["energy_j"] == pytest.approx(truth_j, rel=CLOSE)
    low_j, high_j = device["interval_j"]
    assert low_j < truth_j < high_j
    assert device["method"] == "counter"
    assert_parts_sum(done)


def test_a_load_that_begins_with_the_run_and_ends_with_it(tmp_path: Path) -> None:
    """The hardest edges: the power steps exactly where the run is cut."""
    gpu = working(h100(0, shapes=(Segment(0.0, 1000.0, 400.0),)), tmp_path)
    machine = Machine((gpu,))
    done = measure(tmp_path, machine)
    assert done.record["devices"][0]["energy_j"] == pytest.approx(gpu.true_energy_j(*window(machine, done)), rel=CLOSE)


def test_the_run_gets_its_part_and_idle_is_apart(tmp_path: Path) -> None:
    gpu = working(h100(0, idle_w=70.0, shapes=(Segment(2.5, 5.0, 300.0),)), tmp_path)
    machine = Machine((gpu, h100(1)))
    done = measure(tmp_path, machine)
    used, unused = done.record["devices"]
    assert used["idle_j"] == pytest.approx(70.0 * done.record["wall_s"], rel=0.05)
    assert used["run_energy_j"] == pytest.approx(300.0 * 2.5, rel=0.06)
    assert used["other_j"] < 0.05 * used["energy_j"]
    assert unused["run_energy_j"] == 0, (unused, done.record["faults"])
    assert unused["energy_j"] == pytest.approx(70.0 * done.record["wall_s"], rel=CLOSE)
    assert done.record["energy_j"]["gpu"] == pytest.approx(used["run_energy_j"])
    assert "1 GPU that this run did not use" in done.report


def test_a_job_too_short_to_be_seen_on_the_gpu_is_no_certain_zero(tmp_path: Path) -> None:
    machine = Machine((h100(0, idle_w=70.0, shapes=(Segment(0.0, 1000.0, 300.0),)),))
    (device,) = measure(tmp_path, machine, "sleep", "0.25").record["devices"]
    assert device["run_energy_j"] is None or device["run_interval_j"][1] > 0.5 * device["energy_j"]


def test_a_stranger_on_the_same_gpu_keeps_its_part(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        mine = Process(pid_in(tmp_path / "pid"), busy=30.0, only_alive=True)
        gpu = h100(
            0,
            shapes=(Segment(0.0, 1000.0, 200.0),),
            processes=(mine, Process(stranger.pid, busy=60.0)),
            sampler=Sampler("each"),
        )
        machine = Machine((gpu,))
        (device,) = measure(tmp_path, machine).record["devices"]
    finally:
        stranger.kill()
        stranger.wait()
    assert device["run_energy_j"] == pytest.approx(device["energy_j"] / 3, rel=0.12)
    low_j, high_j = device["run_interval_j"]
    assert high_j - low_j > 0.2 * device["run_energy_j"]


@pytest.mark.parametrize("variant", ["no-fields", "no-processes-info", "no-utilization", "old"])
def test_drivers_that_lack_calls(variant: str, tmp_path: Path) -> None:
    gpu = working(a100(0, shapes=(Segment(0.5, 1000.0, 200.0),)), tmp_path)
    machine = Machine((gpu,))
    done = measure(tmp_path, machine, variant=variant)
    assert done.record["devices"][0]["energy_j"] == pytest.approx(gpu.true_energy_j(*window(machine, done)), rel=CLOSE)
    assert_parts_sum(done)


@pytest.mark.parametrize("mode", ["constant", "none"])
def test_a_counter_that_never_moves_gives_way_to_integrated_power(mode: str, tmp_path: Path) -> None:
    changes = {"energy": EnergyCounter(mode), "shapes": (Segment(2.0, 4.0, 250.0),)}  # type: ignore[arg-type]
    gpu = working(a100(0, **changes), tmp_path)
    machine = Machine((gpu,))
    done = measure(tmp_path, machine)
    (device,) = done.record["devices"]
    assert device["method"] == "integrated"
    assert device["energy_j"] == pytest.approx(gpu.true_energy_j(*window(machine, done)), rel=0.04)
    reasons = {fault["reason"] for fault in done.record["faults"]}
    # A card that looks 25 of 100 ms, busy part of the time and flat all the same, may hide something.
    assert reasons - {"alias"} == ({"counter_stuck"} if mode == "constant" else set())


def test_eight_gpus_at_once(tmp_path: Path) -> None:
    gpus = tuple(h100(n, shapes=(Segment(0.5, 1000, 40.0 * n),)) for n in range(8))
    machine = Machine(gpus)
    done = measure(tmp_path, machine)
    for gpu, device in zip(gpus, done.record["devices"], strict=True):
        assert device["energy_j"] == pytest.approx(gpu.true_energy_j(*window(machine, done)), rel=CLOSE)


def test_a_gpu_lost_midway_is_a_gap_and_not_the_end(tmp_path: Path) -> None:
    lost = h100(0, shapes=(Segment(0.0, 1000.0, 200.0),), lost_s=((2.0, 1000.0),))
    machine = Machine((lost, h100(1)))
    done = measure(tmp_path, machine, "sh", "-c", f"{WORK}; exit 9")
    assert done.code == 9
    first, second = done.record["devices"]
    assert [fault["reason"] for fault in done.record["faults"] if fault["device"] == first["device"]] == ["gone"]
    assert first["energy_j"] <= lost.true_energy_j(0.0, 2.2)
    assert second["energy_j"] == pytest.approx(machine.gpus[1].true_energy_j(*window(machine, done)), rel=CLOSE)
    assert "GPU 0: gone" in done.report
    assert first["covered_s"] == pytest.approx(2.0 - window(machine, done)[0], abs=0.3)
    assert first["mean_w"] == pytest.approx(lost.true_energy_j(0.5, 1.5), rel=0.1)
    assert f"covers {first['covered_s']:.1f} of {done.record['wall_s']:.1f} s" in done.report
    assert "1 GPU that this run did not use" in done.report
    assert done.record["complete"] is False


def test_a_driver_that_does_not_say_who_works_gives_no_zero(tmp_path: Path) -> None:
    silent = not_supported("nvmlDeviceGetProcess*Utilization*", "nvmlDeviceGet*RunningProcesses*")
    gpu = dataclasses.replace(working(h100(0, shapes=(Segment(0.5, 1000.0, 300.0),)), tmp_path), faults=silent)
    done = measure(tmp_path, Machine((gpu,)), "sh", "-c", "sleep 2")
    (device,) = done.record["devices"]
    assert device["energy_j"] > 0
    assert device["run_energy_j"] is None
    assert done.record["energy_j"]["total"] is None
    assert "this driver does not say who works" in done.report
    assert_parts_sum(done)


def test_every_call_failing_at_random_ends_nothing(tmp_path: Path) -> None:
    rules = (FaultRule("nvmlDevice*Energy*", 1.0, 3.0, 999), FaultRule("nvmlDeviceGetField*", 1.0, 3.0, 10, 0.5))
    gpu = working(h100(0, shapes=(Segment(0.0, 1000.0, 200.0),), faults=rules), tmp_path)
    machine = Machine((gpu,))
    done = measure(tmp_path, machine)
    assert done.code == 0
    assert done.record["devices"][0]["energy_j"] == pytest.approx(gpu.true_energy_j(*window(machine, done)), rel=0.04)
    assert_parts_sum(done)


def test_a_driver_that_hangs_during_the_run_does_not_hold_the_command(tmp_path: Path) -> None:
    rules = (FaultRule("nvmlDeviceGetField*", 2.0, 1000.0, delay_s=600.0),)
    machine = Machine((h100(0, faults=rules),))
    began_s = time.monotonic()
    done = measure(tmp_path, machine, "sh", "-c", "sleep 3; exit 6")
    assert done.code == 6
    assert time.monotonic() - began_s < 60
    assert done.record["complete"] is False
    assert "hung" in done.report


def test_a_gpu_without_utilisation_still_gives_a_lone_process_its_energy(tmp_path: Path) -> None:
    """Its last window may stay unattributed: the process has left when the holders are listed."""
    gpu = working(a100(0, mig="on", shapes=(Segment(1.5, 1000.0, 400.0),)), tmp_path)
    silent = dataclasses.replace(gpu, faults=not_supported("nvmlDeviceGetProcess*Utilization*"))
    machine = Machine((silent,))
    (device,) = measure(tmp_path, machine).record["devices"]
    assert device["run_energy_j"] > 0.6 * device["energy_j"]
    assert device["run_energy_j"] + device["unattributed_j"] > 0.75 * device["energy_j"]
    assert device["run_interval_j"][1] > 0.75 * device["energy_j"]


class Meter(threading.Thread):
    """Plays zones of a powercap tree: constant power, with wraps, like the kernel's files."""

    def __init__(self, zones: dict[Path, tuple[float, int]]) -> None:
        """`zones`: watts and the counter's range in uJ of each; all begin 20 J below their wrap."""
        super().__init__(daemon=True)
        self._zones = zones
        self._over = threading.Event()
        self._began_s = time.monotonic()
        self._show()

    def run(self) -> None:
        while not self._over.wait(0.004):
            self._show()

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _show(self) -> None:
        passed_s = time.monotonic() - self._began_s
        for zone, (watts, range_uj) in self._zones.items():
            value = (range_uj - 20_000_000 + round(watts * passed_s * 1e6)) % (range_uj + 1)
            waiting = zone / "energy_uj.new"
            waiting.write_text(f"{value}\n")
            waiting.replace(zone / "energy_uj")


PACKAGE_UJ, DRAM_UJ = 262_143_328_850, 65_712_999_613


def two_sockets(root: Path) -> dict[Path, tuple[float, int]]:
    zones: dict[Path, tuple[float, int]] = {}
    for socket, watts in enumerate((80.0, 120.0)):
        package = put_zone(root / f"intel-rapl:{socket}", f"package-{socket}", range_uj=PACKAGE_UJ)
        dram = put_zone(package / f"intel-rapl:{socket}:0", "dram", range_uj=DRAM_UJ)
        zones |= {package: (watts, PACKAGE_UJ), dram: (watts / 10, DRAM_UJ)}
    return zones


def test_a_wrap_inside_the_run_on_two_sockets_with_dram(tmp_path: Path) -> None:
    tree = tmp_path / "powercap"
    meter = Meter(two_sockets(tree))
    meter.start()
    burn = "import time; t=time.process_time\nwhile t() < 1.5: pass"
    try:
        done = call(tmp_path, sys.executable, "-c", f"{burn}\ntime.sleep(1)", env={"AIPOWER_POWERCAP_ROOT": str(tree)})
    finally:
        meter.stop()
    wall_s = done.record["wall_s"]
    watts = {("cpu", "0"): 80.0, ("dram", "0"): 8.0, ("cpu", "1"): 120.0, ("dram", "1"): 12.0}
    devices = {(device["kind"], device["index"]): device for device in done.record["devices"]}
    assert devices.keys() == watts.keys()
    for key, device in devices.items():
        assert device["energy_j"] == pytest.approx(watts[key] * wall_s, rel=0.03)
    assert done.record["faults"] == []
    assert done.record["estimated_j"]["cpu"] is None
    # The tree's power does not follow the load, so that all of it may rightly pass for static.
    for kind, most_w in (("cpu", 200.0), ("dram", 20.0)):
        low_j, high_j = done.record["interval_j"][kind]
        assert 0 <= low_j <= done.record["energy_j"][kind] <= high_j <= 1.1 * most_w * wall_s
    assert_parts_sum(done)


def test_a_counter_that_becomes_unreadable_is_a_fault_and_no_energy(tmp_path: Path) -> None:
    tree = tmp_path / "powercap"
    zones = two_sockets(tree)
    meter = Meter(zones)
    meter.start()
    script = "touch started; while [ ! -e finish ]; do sleep 0.05; done"
    wrapper = threading.Thread(target=lambda: results.append(
        call(tmp_path, "sh", "-c", script, env={"AIPOWER_POWERCAP_ROOT": str(tree)})
    ))  # fmt: skip
    results: list[Done] = []
    wrapper.start()
    eventually((tmp_path / "started").exists, "the start")
    time.sleep(1.0)
    meter.stop()
    broken = next(iter(zones))
    (broken / "energy_uj").write_text("garbage")
    time.sleep(0.5)
    (tmp_path / "finish").touch()
    wrapper.join()
    (done,) = results
    assert done.code == 0
    assert {fault["device"] for fault in done.record["faults"] if fault["reason"] == "read_failed"} == {"intel-rapl:0"}


def test_recorded_layouts_never_count_twice(tmp_path: Path) -> None:
    root = plant("linux-6.8__intel-core-i7-13700", tmp_path / "tree")
    done = call(tmp_path, "sleep", "0.3", env={"AIPOWER_POWERCAP_ROOT": str(root)})
    assert [device["kind"] for device in done.record["devices"]].count("cpu") == 1


def test_no_helper_process_reads_the_counters(tmp_path: Path) -> None:
    """Beside the command there is only the wrapper and its witness."""
    script = "ps -o pid= --ppid $PPID | wc -l"
    done = call(tmp_path, "sh", "-c", script)
    # The shell's own child `ps` hangs below the shell; below the wrapper hang the shell and the witness.
    assert int(done.out) == 2
