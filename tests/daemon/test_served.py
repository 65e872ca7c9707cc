"""What the pages show while samples come, before the first and after the last."""

from __future__ import annotations

from aipower.daemon.health import STARTING
from aipower.daemon.sampling.served import Served
from aipower.model import Snapshot
from daemon.rigs import Rig, Sensor
from fakes import GPU, FakeClock

NOTHING = Snapshot(1.0, "0")


def started() -> tuple[FakeClock, Rig, Served]:
    clock = FakeClock(100.0)
    rig = Rig(clock, [Sensor(clock)])
    return clock, rig, Served(rig.sampler, NOTHING)


def test_before_the_first_sample_there_is_what_there_is() -> None:
    clock, _, served = started()
    assert served.snapshot() is NOTHING
    assert served.health() == STARTING
    clock.sleep(11)
    assert served.snapshot().fault_counts == {}, "nothing that no ledger has"
    assert not served.health().ok
    assert not served.health().starting


def test_the_newest_snapshot_is_shown_as_it_is() -> None:
    _, rig, served = started()
    rig.tick()
    assert served.snapshot() is rig.sampler.snapshot()
    (device,) = served.snapshot().devices
    assert (device.up, device.power_w) == (True, 100.0)
    assert served.health().ok


def test_a_sampler_that_hangs_shows_no_power_and_keeps_the_energy() -> None:
    clock, rig, served = started()
    for _ in range(5):
        rig.tick()
        clock.sleep(1)
    rig.tick()
    before = served.snapshot()
    clock.sleep(11)
    shown = served.snapshot()
    (device,) = shown.devices
    assert device.device == GPU
    assert (device.up, device.power_w) == (False, None)
    assert device.energy_uj == before.devices[0].energy_uj > 0
    assert (shown.fault_counts, shown.number) == (before.fault_counts, before.number), "what is on the disk"
    assert served.snapshot() is shown, "one object, so that it is rendered once"
    health = served.health()
    assert (health.ok, health.starting, health.sample_age_s) == (False, False, 11)


def test_it_recovers_and_no_count_falls() -> None:
    clock, rig, served = started()
    counts = []
    for _ in range(2):
        rig.tick()
        counts.append(served.snapshot().fault_counts.get(("", "late"), 0))
        clock.sleep(20)
        counts.append(served.snapshot().fault_counts.get(("", "late"), 0))
    rig.tick()
    (device,) = served.snapshot().devices
    assert (device.up, device.power_w) == (True, 100.0)
    counts.append(served.snapshot().fault_counts["", "late"])
    assert counts == [0, 0, 1, 1, 2]
