"""Calls that hang cost whoever asks a bounded time, and are forgotten once they return."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import SensorFailedError, SensorGoneError
from aipower.model import Conditions, Device, Reading, Usage
from aipower.seams import Conditioned, SensorSet
from aipower.sensors.caller import WARY_S, WELL_AGAIN
from aipower.sensors.calls import CallThread, HungError
from aipower.sensors.offthread import hanging, off_thread
from fakes import CPU, GPU, process
from sensors.cards import (
    CLOCK,
    LIMIT_S,
    PATIENCE_S,
    SOON_S,
    Card,
    ConditionedCard,
    Hang,
    nothing,
    until_it_reads,
    wrapped,
)


def test_a_card_is_what_it_was_but_for_the_thread() -> None:
    card, processor = Card(), Card(device=CPU)
    with wrapped(card, processor) as found:
        sensor = found.sensors[0]
        assert (sensor.device, sensor.facts, sensor.traits) == (card.device, card.facts, card.traits)
        assert sensor.read() == Reading(1.0, 1)
        assert found.usage[GPU.id].collect().busy_s == {process(1): 1.0}
        assert card.threads == {"aipower-gpus"}
        assert found.sensors[1] is processor
        assert found.usage[CPU.id] is processor
    assert (card.closed, processor.closed) == (1, 1)
    assert card.threads == {"aipower-gpus"}, "its close is a call into the driver too"


def test_conditions_are_there_where_the_sensor_has_them() -> None:
    with wrapped(Card()) as plain, wrapped(ConditionedCard()) as conditioned:
        assert not isinstance(plain.sensors[0], Conditioned)
        sensor = conditioned.sensors[0]
        assert isinstance(sensor, Conditioned)
        assert sensor.conditions() == Conditions(power_limit_w=700.0)


@pytest.mark.parametrize("error", [SensorFailedError("read_failed"), SensorGoneError("gone"), ZeroDivisionError()])
def test_what_the_device_raises_is_raised(error: Exception) -> None:
    card = Card()

    def fail() -> None:
        raise error

    card.act = fail
    with wrapped(card) as found:
        for call in (found.sensors[0].read, found.usage[GPU.id].collect):
            with pytest.raises(type(error)) as caught:
                call()
            assert caught.value is error
        card.act = nothing
        assert found.sensors[0].read().counter_uj == 3


def test_a_call_that_hangs_is_told_and_all_others_are_refused_at_once() -> None:
    card = Card()
    with wrapped(card) as found:
        hang = Hang(card)
        began_s = time.monotonic()
        with pytest.raises(SensorFailedError) as caught:
            found.sensors[0].read()
        assert caught.value.reason == "hung"
        assert PATIENCE_S <= time.monotonic() - began_s < SOON_S
        assert hanging() == (GPU.id,)
        began_s = time.monotonic()
        for _ in range(1000):
            with pytest.raises(HungError):
                found.sensors[0].read()
            with pytest.raises(HungError):
                found.usage[GPU.id].collect()
        assert time.monotonic() - began_s < SOON_S
        assert card.calls == 1, "nothing waits behind the call that hangs"
        hang.end()
        assert until_it_reads(found) == Reading(2.0, 2), "the late reading is old and is not shown"
        assert hanging() == ()


def test_another_device_does_not_wait() -> None:
    ill, well = Card(), Card(device=Device("GPU-1", "gpu", "H100", "1"))
    with wrapped(ill, well) as found:
        hang = Hang(ill)
        with pytest.raises(HungError):
            found.sensors[0].read()
        assert found.sensors[1].read() == Reading(1.0, 1)
        hang.end()


def test_one_that_has_hung_gets_little_time_until_it_has_answered_some_calls() -> None:
    card = Card()
    with wrapped(card, patience_s=2.0) as found:
        hang = Hang(card)
        with pytest.raises(HungError):
            found.sensors[0].read()
        hang.end()
        until_it_reads(found)
        again = Hang(card)
        began_s = time.monotonic()
        with pytest.raises(HungError):
            found.sensors[0].read()
        assert WARY_S <= time.monotonic() - began_s < 1.9
        again.end()
        until_it_reads(found)
        for _ in range(WELL_AGAIN):
            found.sensors[0].read()
        card.act = lambda: time.sleep(5 * WARY_S)
        assert found.sensors[0].read().at_s > 0, "it is trusted again"


def test_one_that_is_slow_is_not_distrusted_for_ever() -> None:
    """Each call takes longer than one that has hung is given, and less than one that is well."""
    card = Card()
    with wrapped(card, patience_s=2.0) as found:
        hang = Hang(card)
        with pytest.raises(HungError):
            found.sensors[0].read()
        hang.end()
        card.act = lambda: time.sleep(3 * WARY_S)
        until_it_reads(found)


def test_the_usage_of_the_time_of_a_hang_comes_with_the_next() -> None:
    card = Card()
    with wrapped(card) as found:
        source = found.usage[GPU.id]
        assert source.collect().end_s == 1.0
        hang = Hang(card)
        with pytest.raises(HungError):
            source.collect()
        hang.end()
        until_it_reads(found)
        usage = source.collect()
        assert (usage.start_s, usage.end_s, usage.busy_s, usage.samples) == (1.0, 3.0, {process(1): 2.0}, 12)
        assert source.collect().start_s == 3.0


def test_a_late_usage_does_not_join_what_comes_after_a_window_without() -> None:
    card = Card()
    with wrapped(card) as found:
        source = found.usage[GPU.id]
        hang = Hang(card)
        with pytest.raises(HungError):
            source.collect()
        hang.end()
        until_it_reads(found)

        def fail() -> None:
            card.act = nothing
            raise SensorFailedError("read_failed")

        card.act = fail
        with pytest.raises(SensorFailedError):
            source.collect()
        assert source.collect().start_s == 1.0


@given(st.lists(st.sampled_from(["well", "hangs", "reads late"]), max_size=6))
def test_no_window_is_told_twice_or_never(story: list[str]) -> None:
    card, told = Card(), []
    with wrapped(card, patience_s=0.01) as found:
        source = found.usage[GPU.id]
        for event in story:
            if event != "well":
                hang = Hang(card)
                with pytest.raises(HungError):
                    (source.collect if event == "hangs" else found.sensors[0].read)()
                hang.end()
            else:
                told.append(collected(found))
        told.append(collected(found))
    assert [usage.start_s for usage in told] == [0.0, *(usage.end_s for usage in told[:-1])]
    assert sum(usage.busy_s[process(1)] for usage in told) == told[-1].end_s == card.since_s


def collected(found: SensorSet) -> Usage:
    deadline_s = time.monotonic() + LIMIT_S
    while True:
        try:
            return found.usage[GPU.id].collect()
        except HungError:
            assert time.monotonic() < deadline_s


def test_a_device_that_hangs_is_closed_when_its_call_returns() -> None:
    card = Card()
    with wrapped(card) as found:
        hang = Hang(card)
        with pytest.raises(HungError):
            found.sensors[0].read()
        began_s = time.monotonic()
        found.sensors[0].close()
        found.sensors[0].close()
        assert time.monotonic() - began_s < SOON_S
        assert card.closed == 0, "nobody may close what is in a call"
        hang.end()
        until_no_thread()
        assert card.closed == 1
        with pytest.raises(SensorFailedError, match="closed"):
            found.sensors[0].read()


def test_a_close_that_hangs_is_left_behind() -> None:
    card, release = Card(), threading.Event()
    made = off_thread(SensorSet([card]), CLOCK, PATIENCE_S)
    made.sensors[0].read()

    class Stuck(Card):
        def close(self) -> None:
            assert release.wait(LIMIT_S)

    stuck = off_thread(SensorSet([Stuck()]), CLOCK, PATIENCE_S).sensors[0]
    began_s = time.monotonic()
    stuck.close()
    assert time.monotonic() - began_s < SOON_S
    assert hanging() == (GPU.id,)
    release.set()
    made.sensors[0].close()
    until_no_thread()


def call_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if isinstance(thread, CallThread)}


OTHERS: set[threading.Thread] = set()
"""Threads that tests of hanging drivers have left in this process before."""


@pytest.fixture(autouse=True)
def _note_others() -> None:
    OTHERS.update(call_threads())


def until_no_thread() -> None:
    """A device that is closed leaves no thread."""
    deadline_s = time.monotonic() + LIMIT_S
    while call_threads() - OTHERS:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
