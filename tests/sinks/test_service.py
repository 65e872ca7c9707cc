"""Sinks that are slow, dead, refuse or have bugs cost no tick, no snapshot and no stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from aipower.books.ledger import Ledger
from aipower.daemon.sampling.sampler import Pace, Sampler
from aipower.daemon.sampling.tick import Outside
from aipower.daemon.sinks.service import SinkService, Way
from aipower.meter import Meter
from aipower.model import SinkState, Snapshot
from aipower.seams import SensorSet, SystemClock
from aipower.sinks import SinkError
from daemon.rigs import Sensor
from fakes import FakeClock, FakeDirectory
from sinks.machines import DEADLINE_S, wait_for


def nothing() -> None:
    """The sink is well."""


@dataclass(slots=True)
class Scripted:
    """A sink that does what the test says; it keeps what arrived."""

    act: Callable[[], None] = nothing
    at_close: Callable[[], None] = nothing
    got: list[Snapshot] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def push(self, snapshot: Snapshot) -> None:
        self.began.set()
        self.act()
        self.got.append(snapshot)

    def close(self) -> None:
        self.closed.set()
        self.at_close()


def raises(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def blocks(gate: threading.Event) -> Callable[[], None]:
    """Until the gate is opened."""
    return lambda: assert_opened(gate)


def assert_opened(gate: threading.Event) -> None:
    assert gate.wait(DEADLINE_S)


def by_name(states: tuple[SinkState, ...]) -> dict[str, SinkState]:
    return {state.name: state for state in states}


class Bench:
    """A real sampler over a fake sensor; `tick` is one turn of its loop."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        ledger, outside = Ledger(FakeDirectory()), Outside()
        meter = Meter(SensorSet([Sensor(clock)]), ledger, clock)
        self.sampler = Sampler(meter, ledger, Pace(1.0, 1.0), clock, nothing, outside=outside)
        self.outside = outside

    def tick(self) -> None:
        schedule = self.sampler._schedule
        self.clock.sleep(schedule.pause_s())
        schedule.begin()
        self.sampler._step()
        schedule.end()

    def newest(self) -> Snapshot:
        snapshot = self.sampler.snapshot()
        assert snapshot is not None
        return snapshot


TICKS = 100


def test_no_sink_costs_a_tick_and_the_counters_say_how_they_do() -> None:
    """All ticks are taken while the slow sinks are known to be within a push: whoever waited for one would hang."""
    clock, gate = FakeClock(1000.0), threading.Event()
    sinks = {
        "well": Scripted(),
        "slow": Scripted(blocks(gate)),
        "dead": Scripted(raises(SinkError("refused", "nobody listens"))),
        "full": Scripted(raises(SinkError("full", "no room"))),
        "buggy": Scripted(raises(KeyError("oops"))),
        "leaver": Scripted(raises(SystemExit(3))),
    }
    bench = Bench(clock)
    service = SinkService({name: Way(sink, 15.0) for name, sink in sinks.items()}, clock)
    bench.outside.sinks = service.states
    bench.tick()
    service.start(bench.sampler.snapshot)
    for sink in sinks.values():
        assert_opened(sink.began)
    reasons = {"dead": "refused", "full": "full", "buggy": "internal", "leaver": "internal"}
    wait_for(lambda: all(by_name(service.states())[name].faults[why] == 1 for name, why in reasons.items()))
    before = bench.newest()
    for _ in range(TICKS):
        bench.tick()
    after = bench.newest()
    try:
        assert after.agent.ticks - before.agent.ticks == TICKS
        assert (after.agent.late_s, after.agent.missed_ticks) == (0.0, 0)
        assert after.number - before.number == TICKS
        assert after.devices[0].up
        assert after.devices[0].energy_uj - before.devices[0].energy_uj == pytest.approx(100e6 * TICKS, rel=0.1)
        states = by_name(after.sinks)
        assert {name for name, state in states.items() if state.up} == {"well"}
        # The clock of the test has gone on for more than 60 s since the slow push began, and none was made beside it.
        assert states["slow"].faults["hung"] == 1
        assert states["slow"].skipped == int((clock.now_s - 1000.0) / 15.0)
        assert states["slow"].pushes == 0
        assert states["slow"].push_s == pytest.approx(clock.now_s - 1000.0)
        assert len(sinks["slow"].got) == 0
    finally:
        gate.set()
        service.stop(DEADLINE_S)
    # Nothing had queued: it gets the one that it was given, and the newest at the end.
    assert [snapshot.number for snapshot in sinks["slow"].got] == [before.number, after.number]
    assert by_name(service.states())["slow"].up


def test_a_slow_sink_does_not_hold_up_the_others() -> None:
    gate, clock = threading.Event(), SystemClock()
    slow, quick = Scripted(blocks(gate)), Scripted()
    numbers = iter(range(1, 10**9))
    service = SinkService({"slow": Way(slow, 0.01), "quick": Way(quick, 0.01)}, clock)
    service.start(lambda: Snapshot(0.0, "", number=next(numbers)))
    wait_for(lambda: len(quick.got) >= 20)
    assert slow.got == []
    gate.set()
    service.stop(DEADLINE_S)
    assert not service.running()
    assert quick.closed.is_set()
    assert slow.closed.is_set()


def test_a_sink_gets_the_newest_and_each_only_once() -> None:
    shown = [Snapshot(1.0, "", number=1)]
    sink = Scripted()
    service = SinkService({"a": Way(sink, 0.01)}, SystemClock())
    service.start(lambda: shown[-1])
    wait_for(lambda: len(sink.got) == 1)
    shown.extend(Snapshot(float(number), "", number=number) for number in range(2, 6))
    wait_for(lambda: len(sink.got) == 2)
    service.stop(DEADLINE_S)
    assert [snapshot.number for snapshot in sink.got] == [1, 5]


def test_before_the_first_sample_nothing_is_pushed_and_nothing_is_a_fault() -> None:
    sink, looks = Scripted(), []

    def none_yet() -> Snapshot | None:
        looks.append(1)
        return None

    service = SinkService({"a": Way(sink, 0.01)}, SystemClock())
    service.start(none_yet)
    wait_for(lambda: len(looks) > 3)
    service.stop(DEADLINE_S)
    (state,) = service.states()
    assert (state.up, state.pushes, sum(state.faults.values()), state.pushed_unix_s) == (True, 0, 0, None)
    assert sink.got == []
    assert sink.closed.is_set()


def test_at_the_end_the_newest_is_pushed_although_none_is_due() -> None:
    shown = [Snapshot(1.0, "", number=1)]
    sink = Scripted()
    service = SinkService({"a": Way(sink, 3600.0)}, SystemClock())
    service.start(lambda: shown[-1])
    wait_for(lambda: service.states()[0].pushes == 1)
    shown.append(Snapshot(2.0, "", number=2))
    service.stop(DEADLINE_S)
    assert [snapshot.number for snapshot in sink.got] == [1, 2]


@pytest.mark.parametrize("where", ["push", "close"])
def test_a_sink_that_never_returns_does_not_hold_up_the_end(where: str, caplog: pytest.LogCaptureFixture) -> None:
    """The clock stands still but for the stop: all of the time that it waits is what it was given."""
    gate = threading.Event()
    hangs = blocks(gate)
    sink = Scripted(hangs if where == "push" else nothing, hangs if where == "close" else nothing)
    service = SinkService({"a": Way(sink, 15.0)}, SystemClock())
    service.start(lambda: Snapshot(1.0, "", number=1))
    assert_opened(sink.began)
    with caplog.at_level(logging.WARNING):
        service.stop(0.05)
    assert service.running()
    assert caplog.messages == ["left behind, still pushing: sink a"]
    gate.set()
    wait_for(lambda: not service.running())


def test_a_bug_in_closing_is_told_and_ends_there() -> None:
    sink = Scripted(at_close=raises(RuntimeError("oops")))
    service = SinkService({"a": Way(sink, 15.0)}, SystemClock())
    service.start(lambda: Snapshot(1.0, "", number=1))
    service.stop(DEADLINE_S)
    assert not service.running()
    assert service.states()[0].faults["internal"] == 1


def test_a_sink_that_comes_back_is_up_again(caplog: pytest.LogCaptureFixture) -> None:
    failures = iter([SinkError("refused", "nobody listens")] * 3)

    def act() -> None:
        if (error := next(failures, None)) is not None:
            raise error

    numbers = iter(range(1, 10**9))
    service = SinkService({"a": Way(Scripted(act), 0.01)}, SystemClock())
    with caplog.at_level(logging.WARNING):
        service.start(lambda: Snapshot(0.0, "", number=next(numbers)))
        wait_for(lambda: service.states()[0].pushes >= 2)
        service.stop(DEADLINE_S)
    (state,) = service.states()
    assert (state.up, state.faults["refused"]) == (True, 3)
    assert len(caplog.messages) == 2


def test_a_service_without_sinks_is_nothing() -> None:
    service = SinkService({}, SystemClock())
    service.start(lambda: None)
    service.stop(1.0)
    assert service.states() == ()
    assert not service.running()


def test_one_that_was_never_started_can_be_stopped() -> None:
    sink = Scripted()
    service = SinkService({"a": Way(sink, 15.0)}, SystemClock())
    service.stop(1.0)
    assert not service.running()


def test_a_bug_in_what_it_is_given_costs_a_look(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([ZeroDivisionError("a bug"), ZeroDivisionError("a bug"), Snapshot(1.0, "", number=1)])
    last: list[Snapshot] = []

    def newest() -> Snapshot:
        match next(answers, None):
            case Snapshot() as snapshot:
                last.append(snapshot)
            case Exception() as error:
                raise error
        return last[-1]

    sink = Scripted()
    service = SinkService({"a": Way(sink, 0.01)}, SystemClock())
    with caplog.at_level(logging.WARNING):
        service.start(newest)
        wait_for(lambda: service.states()[0].pushes == 1)
        service.stop(DEADLINE_S)
    assert service.states()[0].faults["internal"] == 2
    assert len(caplog.messages) == 2
