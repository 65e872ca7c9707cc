"""Single GPUs that are lost, need a reset, are added, removed, or name nonsense as their users."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from daemon.agents import Series, total
from fake_driver.presets import h100
from fake_driver.script import Gpu, Process, Sampler, Segment
from faults.bench import (
    COMPONENT,
    ENERGY,
    FAULTS,
    LAG_S,
    PROCESS,
    UP,
    Rack,
    broken,
    devices,
    down,
    energy_j,
    faulty,
    up,
    watched,
)

IDLE_W = 70.0


def assert_no_more_than(series: Series, ill: Gpu, well: Gpu) -> None:
    """The same load: what an ill GPU has used is at most what a healthy one has, but for a window."""
    assert energy_j(series, ill) <= energy_j(series, well) + 2 * IDLE_W


def test_a_lost_gpu_and_one_that_was_reset(tmp_path: Path) -> None:
    """One comes back with its counter, the other with a counter that begins at 0."""
    well, lost, reset = h100(0), h100(1), h100(2)
    ids = (well.uuid, lost.uuid, reset.uuid)
    rack = Rack(tmp_path, well, lost, reset)
    with watched(rack) as witness:
        witness.until(lambda series: up(*ids)(series) and energy_j(series, well) > 0)
        rack.becomes(well, h100(1, faults=broken(15)), h100(2, faults=broken(16)))
        before = witness.until(down(lost.uuid, reset.uuid))
        began_s = time.monotonic()
        during = witness.rest(3)
        assert down(lost.uuid, reset.uuid)(during)
        assert up(well.uuid)(during)
        assert all(energy_j(during, gpu) - energy_j(before, gpu) <= 2 * IDLE_W for gpu in (lost, reset))
        away_s = time.monotonic() - began_s
        since_s = rack.becomes(well, lost, h100(2, resets_s=(rack.now_s(),)))
        witness.recovers(up(*ids), since_s)
        series = witness.until(
            lambda series: energy_j(series, lost) == pytest.approx(energy_j(series, well), rel=0.02)
        )
        assert_no_more_than(series, lost, well)
        missing_j = energy_j(series, well) - energy_j(series, reset)
        assert -2 * IDLE_W <= missing_j <= IDLE_W * (away_s + LAG_S)
        assert faulty(reset.uuid, "counter_reset")(series) or faulty(reset.uuid, "gap")(series)
        assert all(total(series, FAULTS, device=gpu.uuid, reason="gone") == 1 for gpu in (lost, reset))
        assert "is back" in witness.ends_well()


def with_signs(folder: Path) -> Sequence[str]:
    """A command whose kernel shows the GPUs' folders of `folder`; it needs a mount namespace of its own."""
    (folder / "nvidia" / "gpus").mkdir(parents=True)
    (folder / "nvidia" / "version").write_text("570.86.15\n")
    prefix = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /proc/driver && exec "$@"', str(folder))
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("the kernel lets this user make no mount namespace, and without one /proc/driver cannot be shown")
    return prefix


def show(folder: Path, *gpus: Gpu) -> None:
    """The kernel shows exactly these."""
    listed = folder / "nvidia" / "gpus"
    for place in listed.iterdir():
        place.rmdir()
    for gpu in gpus:
        (listed / gpu.pci_bus_id).mkdir()


def test_a_gpu_that_is_added_removed_and_added_again(tmp_path: Path) -> None:
    """The kernel's list of GPUs is the sign to look at once, though all that are known are well."""
    first, well = h100(0), h100(1)
    prefix = with_signs(tmp_path / "driver")
    show(tmp_path / "driver", well)
    rack = Rack(tmp_path, well)
    with watched(rack, prefix=prefix) as witness:
        assert devices(witness.until(up(well.uuid)), UP) == {well.uuid}
        used_j = 0.0
        for added in (True, False, True):
            show(tmp_path / "driver", *((first, well) if added else (well,)))
            added_s = rack.now_s()
            since_s = rack.becomes(*((first, well) if added else (well,)))
            witness.recovers(up(first.uuid) if added else down(first.uuid), since_s)
            series = witness.rest(2)
            assert up(well.uuid)(series)
            assert energy_j(series, first) - used_j <= rack.true_j(first, added_s if used_j == 0 else added_s - 10)
            used_j = energy_j(series, first)
        assert faulty(first.uuid, "gone")(series)
        witness.ends_well()


GARBAGE = {
    "rows of nobody with more than 100 percent": Sampler("each", garbage_rows=7),
    "rows of zeros, and a size that is no error": Sampler("each", zero_rows=True, sizing_success=True),
    "rows of the future": Sampler("each", garbage_rows=7, garbage_stamp_us=1 << 62),
    "rows of the past": Sampler("each", garbage_rows=7, garbage_stamp_us=1),
}


def test_utilisation_over_100_and_rows_of_garbage_change_nobodys_share(tmp_path: Path) -> None:
    jobs = [subprocess.Popen(["sleep", "1000"]) for _ in range(2)]
    work = tuple(Process(job.pid, busy=busy) for job, busy in zip(jobs, (60.0, 20.0), strict=True))
    load = (Segment(0.0, 1e6, 280.0),)
    gpus = [h100(i, shapes=load, processes=work, sampler=quirk) for i, quirk in enumerate(GARBAGE.values())]
    rack = Rack(tmp_path, *gpus)
    try:
        with watched(rack) as witness:
            witness.until(up(*(gpu.uuid for gpu in gpus)))
            began_s = rack.now_s()
            series = witness.rest(6)
            for gpu in gpus:
                assert_shares(series, gpu, [job.pid for job in jobs])
                assert 0 < energy_j(series, gpu) <= rack.true_j(gpu, began_s - LAG_S)
            assert devices(series, ENERGY) == {gpu.uuid for gpu in gpus}
            assert {dict(labels)["pid"] for name, labels in series if name == PROCESS} == {str(j.pid) for j in jobs}
            witness.ends_well()
    finally:
        for job in jobs:
            job.kill()
            job.wait()


def assert_shares(series: Series, gpu: Gpu, pids: Sequence[int]) -> None:
    used_j = [total(series, PROCESS, device=gpu.uuid, pid=str(pid), component="active") for pid in pids]
    assert used_j[0] / sum(used_j) == pytest.approx(0.75, abs=0.1), used_j
    assert total(series, COMPONENT, device=gpu.uuid, component="unattributed") <= 0.15 * energy_j(series, gpu)
