"""The measuring part beside the main thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from aipower.daemon.finding.finder import Finder
from aipower.daemon.finding.search import Source
from aipower.daemon.work import End, Parts, Work
from aipower.errors import AipowerError, UsageError
from aipower.seams import SensorSet, SystemClock
from aipower.sensors.offthread import off_thread
from daemon.rigs import DEADLINE_S, Rig, Sensor

CLOCK = SystemClock()


def parts() -> Parts:
    rig = Rig(CLOCK, [Sensor(CLOCK)], interval_s=0.02)
    return Parts(rig.sampler, Finder(rig.meter, rig.sampler, (), CLOCK))


def test_a_start_that_hangs_holds_up_nobody() -> None:
    entered, release = threading.Event(), threading.Event()
    made = parts()

    def wire() -> Parts:
        entered.set()
        release.wait(DEADLINE_S)
        return made

    ends: SimpleQueue[End] = SimpleQueue()
    work = Work(wire, CLOCK, ends.put)
    work.start()
    assert entered.wait(DEADLINE_S)
    assert work.health().starting
    assert (work.snapshot().devices, work.snapshot() is work.snapshot()) == ((), True)
    work.stop()
    assert work.hangs()
    release.set()
    assert not made.sampler.running(), "what comes after the stop is not started"


def test_what_does_not_answer_is_named_while_nothing_is_measured() -> None:
    entered, release = threading.Event(), threading.Event()

    def look(_: frozenset[str]) -> SensorSet:
        entered.set()
        release.wait(DEADLINE_S)
        return SensorSet()

    rig = Rig(CLOCK, [], interval_s=0.02)
    finder = Finder(rig.meter, rig.sampler, [Source("GPU (NVML)", frozenset({"gpu"}), look)], CLOCK)

    def wire() -> Parts:
        finder.first_look(0.1)
        return Parts(rig.sampler, finder)

    work = Work(wire, CLOCK, SimpleQueue[End]().put)
    work.start()
    until(lambda: work.health().sample_age_s is not None)
    health = work.health()
    assert (health.ok, health.starting, health.reason) == (False, True, "GPU (NVML) has not answered yet")
    work.stop()
    assert entered.is_set()
    assert work.hangs()
    release.set()
    until(lambda: not work.hangs())


def test_a_device_that_hangs_hangs_the_end() -> None:
    hanging, release = threading.Event(), threading.Event()

    def hang() -> None:
        hanging.set()
        release.wait(DEADLINE_S)

    rig = Rig(CLOCK, [], interval_s=0.02)
    rig.meter.adopt(off_thread(SensorSet([Sensor(CLOCK, hang)]), CLOCK, 0.05))
    work = Work(lambda: Parts(rig.sampler, Finder(rig.meter, rig.sampler, (), CLOCK)), CLOCK, SimpleQueue[End]().put)
    work.start()
    assert hanging.wait(DEADLINE_S)
    until(lambda: work.health().ok)
    work.stop()
    assert not rig.sampler.running(), "the sampler has ended: only the device's own thread is left"
    assert work.hangs()
    release.set()
    until(lambda: not work.hangs())


def until(fact: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not fact():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_a_mistake_is_handed_to_the_main_thread() -> None:
    mistake = UsageError("no such sensor")

    def wire() -> Parts:
        raise mistake

    ends: SimpleQueue[End] = SimpleQueue()
    work = Work(wire, CLOCK, ends.put)
    work.start()
    end = ends.get(timeout=DEADLINE_S)
    assert isinstance(end, AipowerError)
    assert end is mistake
    work.stop()
    assert not work.hangs()


def test_a_bug_at_the_start_ends_the_agent() -> None:
    def wire() -> Parts:
        raise ZeroDivisionError

    ends: SimpleQueue[End] = SimpleQueue()
    Work(wire, CLOCK, ends.put).start()
    assert ends.get(timeout=DEADLINE_S) == 1


class Unstartable(Finder):
    """One more thread than the system allows."""

    def start(self) -> None:
        raise RuntimeError("can't start new thread")


def test_an_agent_that_has_started_by_half_ends(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(CLOCK, [Sensor(CLOCK)], interval_s=0.02)
    ends: SimpleQueue[End] = SimpleQueue()
    work = Work(lambda: Parts(rig.sampler, Unstartable(rig.meter, rig.sampler, (), CLOCK)), CLOCK, ends.put)
    work.start()
    assert ends.get(timeout=DEADLINE_S) == 1
    assert caplog.messages == ["the agent cannot start"]
    work.stop()
    assert not work.hangs()


def test_it_samples_from_start_to_stop() -> None:
    made = parts()
    work = Work(lambda: made, CLOCK, SimpleQueue[End]().put)
    work.stop()
    assert not work.hangs()
    work = Work(lambda: made, CLOCK, SimpleQueue[End]().put)
    work.start()
    ready = threading.Event()
    for _ in range(round(DEADLINE_S / 0.01)):
        if work.health().ok or ready.wait(0.01):
            break
    assert work.health().ok
    work.stop()
    assert not work.hangs()
