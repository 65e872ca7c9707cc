"""The wall clock set by an hour in both directions, and a machine that sleeps."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aipower.books.ledger import Ledger
from aipower.daemon.sampling.pace import Pace, Schedule
from aipower.daemon.sampling.tick import NoErrands, Tick
from aipower.meter import Meter
from aipower.seams import SensorSet
from daemon.agents import Series, total
from fake_driver.presets import h100
from fake_driver.script import Gpu, Process, Sampler, Segment
from fakes import CPU, GPU, FakeClock, FakeDirectory, ScriptedSensor
from faults.bench import (
    COMPONENT,
    FAULTS,
    LAG_S,
    PROCESS,
    Rack,
    Witness,
    energy_j,
    faulty,
    grown,
    up,
    watched,
)
from faults.clocks import Clocks
from faults.players import ZONE, Player
from sensors.powercap import INTEL_RANGE_UJ

HOUR_S = 3600
SOON_S = 0.5
"""So long before a change the agent and the driver have been told of it."""


@pytest.fixture
def jobs() -> Iterator[list[subprocess.Popen[bytes]]]:
    running = [subprocess.Popen(["sleep", "1000"]) for _ in range(2)]
    yield running
    for job in running:
        job.kill()
        job.wait()


def shared_gpu(jobs: list[subprocess.Popen[bytes]]) -> Gpu:
    """Two processes work on it, one three times as much."""
    big, small = jobs
    processes = (Process(big.pid, busy=60.0), Process(small.pid, busy=20.0))
    return h100(0, shapes=(Segment(0.0, 1e6, 280.0),), processes=processes, sampler=Sampler("each"))


def assert_shares_are_right(before: Series, after: Series, jobs: list[subprocess.Popen[bytes]], gpu: Gpu) -> None:
    used_j = [grown(before, after, PROCESS, device=gpu.uuid, pid=str(job.pid), component="active") for job in jobs]
    assert used_j[0] > 0
    assert used_j[0] / sum(used_j) == pytest.approx(0.75, abs=0.1), used_j
    unattributed_j = grown(before, after, COMPONENT, device=gpu.uuid, component="unattributed")
    assert unattributed_j <= 0.15 * (energy_j(after, gpu) - energy_j(before, gpu))


def set_clock(rack: Rack, clocks: Clocks, by_s: int) -> None:
    """Set the wall clock, of the agent and of the driver's stamps at the same moment, and wait for it."""
    at_s = time.monotonic() + SOON_S
    clocks.add(at_s, wall_s=by_s)
    rack.becomes(wall_steps=(*rack.machine.wall_steps, (at_s - rack.machine.t0_s, by_s)))
    time.sleep(at_s - time.monotonic())


def test_a_wall_clock_that_is_set_changes_nobodys_share(tmp_path: Path, jobs: list[subprocess.Popen[bytes]]) -> None:
    gpu = shared_gpu(jobs)
    rack, clocks = Rack(tmp_path, gpu), Clocks(tmp_path)
    with watched(rack, env=clocks.variables) as witness:
        witness.until(lambda series: all(total(series, PROCESS, pid=str(job.pid)) > 0 for job in jobs))
        pages = [witness.rest(4)]
        for by_s in (HOUR_S, -2 * HOUR_S):
            set_clock(rack, clocks, by_s)
            pages.append(witness.rest(6))
            stamped_s = time.time() + sum(by for _, by in rack.machine.wall_steps)
            start_s = total(pages[-1], "aipower_agent_start_time_seconds")
            assert abs(stamped_s - start_s) < 3 * HOUR_S
            assert_shares_are_right(pages[-2], pages[-1], jobs, gpu)
        used_j = energy_j(pages[-1], gpu) - energy_j(pages[0], gpu)
        assert used_j <= rack.true_j(gpu, rack.now_s() - 13 - LAG_S)
        for reason in ("counter_reset", "implausible", "gap", "suspended", "read_failed"):
            assert total(pages[-1], FAULTS, reason=reason) == 0
        find_again_after_the_clock_went_back(rack, witness, gpu)
        witness.ends_well()


def find_again_after_the_clock_went_back(rack: Rack, witness: Witness, gpu: Gpu) -> None:
    """What comes back is looked for now, and not when the old time has come again."""
    since_s = rack.becomes(epoch=1)
    witness.until(faulty(gpu.uuid, "gone"))
    witness.recovers(up(gpu.uuid), since_s)


def test_a_machine_that_slept_invents_nothing_of_that_time(tmp_path: Path) -> None:
    """Each counter comes out of the sleep in a way of its own; one is a wrap as far as its values tell."""
    gpus = [h100(number) for number in range(4)]
    well, anew, ahead, back = gpus
    rack, clocks = Rack(tmp_path, *gpus), Clocks(tmp_path)
    zones = Player(tmp_path / "powercap", INTEL_RANGE_UJ, start_uj=INTEL_RANGE_UJ - 100_000_000, power_w=5)
    with zones as player, watched(rack, env={**clocks.variables, **player.variables}) as witness:
        ids = (ZONE, *(gpu.uuid for gpu in gpus))
        before = witness.until(lambda series: up(*ids)(series) and energy_j(series, well) > 0)
        began_s = rack.now_s()
        at_s = time.monotonic() + SOON_S
        slept_at_s = at_s - rack.machine.t0_s
        clocks.add(at_s, wall_s=HOUR_S, boot_s=HOUR_S)
        rack.becomes(
            well,
            h100(1, resets_s=(slept_at_s,)),
            h100(2, jumps_mj=((slept_at_s, 2e5),)),
            h100(3, jumps_mj=((slept_at_s, -2e5),)),
            wall_steps=((slept_at_s, HOUR_S),),
        )
        time.sleep(at_s - time.monotonic())
        player.begin_anew()
        told = witness.until(lambda series: all(faulty(id_, "suspended")(series) for id_ in ids))
        witness.recovers(up(*ids), at_s)
        series = witness.rest(LAG_S)
        for gpu in (anew, ahead, back):
            assert energy_j(series, gpu) == pytest.approx(energy_j(series, well), abs=30)
        lived_s = rack.now_s() - began_s
        for id_, power_w in zip(ids, (5.0, 70.0, 70.0, 70.0, 70.0), strict=True):
            assert 0 < energy_j(series, id_) - energy_j(before, id_) <= power_w * (lived_s + LAG_S)
            assert total(told, FAULTS, device=id_, reason="suspended") == 1
            assert not faulty(id_, "counter_reset")(series)
        assert "was suspended for 3600" in witness.ends_well()


class Sleeper:
    """A machine of two devices that falls asleep when the test says, also while its sensors are read."""

    def __init__(self) -> None:
        self.clock = FakeClock(1.0)
        self.asleep_s = 0.0
        self.counter_uj = 0
        self.unpublished_uj = 0
        self.sleeps_in_read = False
        self.ledger = Ledger(FakeDirectory())
        sensors = [ScriptedSensor(self.clock, self._read, device) for device in (GPU, CPU)]
        self.meter = Meter(SensorSet(sensors), self.ledger, self.clock)
        pace = Pace(0.2, 0.2)
        self.schedule = Schedule(0.2, self.clock)
        self.tick = Tick(self.meter, self.ledger, pace, self.clock, NoErrands(), asleep_s=lambda: self.asleep_s)

    def _read(self, _: float) -> tuple[int, None]:
        if self.sleeps_in_read:
            self.sleep()
        return self.counter_uj, None

    def look(self) -> None:
        """What is done for a run 0.1 s after a tick."""
        self.clock.sleep(0.1)
        self.counter_uj += 10_000_000
        self.meter.sample()
        self.meter.attribute()

    def sleep(self, *, seen_late: bool = False) -> None:
        """An hour, in which the counters go somewhere else; the next tick may still see what they showed before."""
        self.sleeps_in_read = False
        self.asleep_s += HOUR_S
        if seen_late:
            self.unpublished_uj += 150_000_000
        else:
            self.counter_uj += 150_000_000

    def run(self) -> None:
        """One tick after 0.2 s of 100 W."""
        self.clock.sleep(0.2)
        self.counter_uj += 20_000_000
        self.tick.run(self.schedule, late=lambda: False)
        self.counter_uj, self.unpublished_uj = self.counter_uj + self.unpublished_uj, 0


AWAKE = ["awake"] * 12
"""By then the rhythm of the counter is known."""


@given(
    st.lists(
        st.sampled_from(
            ["awake", "sleep", "sleep, seen late", "sleep in a read", "sleep in a look", "look after a sleep"]
        ),
        min_size=10,
        max_size=60,
    )
)
@example([*AWAKE, "sleep", *AWAKE])
@example([*AWAKE, "sleep, seen late", *AWAKE])
@example([*AWAKE, "look after a sleep", *AWAKE])
@example([*AWAKE, "sleep in a look", *AWAKE])
def test_no_sleep_is_counted_whenever_it_comes(course: list[str]) -> None:
    machine = Sleeper()
    for what in course:
        if what in {"sleep", "sleep, seen late", "look after a sleep"}:
            machine.sleep(seen_late=what == "sleep, seen late")
        machine.sleeps_in_read = what in {"sleep in a read", "sleep in a look"}
        if "look" in what:
            machine.look()
        machine.run()
    sleeps, looks = len(course) - course.count("awake"), sum("look" in what for what in course)
    for device in (GPU, CPU):
        energy_uj = machine.ledger.totals(device.id).energy_uj
        assert energy_uj <= 20_000_000 * len(course) + 10_000_000 * looks
        assert machine.ledger.draft(0.0, "", {}).snapshot().fault_counts[device.id, "suspended"] == sleeps
        if sleeps == 0:
            assert energy_uj >= 20_000_000 * (len(course) - 8)
