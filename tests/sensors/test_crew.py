"""Devices that are told that they are asked next are asked by one thread in one go, and one that hangs by its own."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import SensorFailedError
from aipower.model import Device, Reading
from aipower.seams import SensorSet
from aipower.sensors.ahead import announce
from aipower.sensors.calls import CallThread, HungError, hanging
from aipower.sensors.crew import MOST_WORKERS, TURN_S
from sensors.cards import LIMIT_S, SOON_S, Card, Hang, wrapped


def cards(count: int) -> list[Card]:
    return [Card(device=Device(f"GPU-{at}", "gpu", "H100", str(at))) for at in range(count)]


def read_all(found: SensorSet) -> list[Reading | SensorFailedError]:
    """Each sensor's reading or error, after all were told."""
    announce(found.sensors)
    answers: list[Reading | SensorFailedError] = []
    for sensor in found.sensors:
        try:
            answers.append(sensor.read())
        except SensorFailedError as error:
            answers.append(error)
    return answers


def collected_s(found: SensorSet) -> list[tuple[float, float]]:
    announce(found.usage.values())
    usages = [source.collect() for source in found.usage.values()]
    return [(usage.start_s, usage.end_s) for usage in usages]


def test_all_that_are_told_are_asked_once_by_one_thread() -> None:
    made = cards(8)
    with wrapped(*made) as found:
        for number in (1, 2, 3):
            assert read_all(found) == [Reading(float(number), number)] * 8
        assert {name for card in made for name in card.threads} == {"aipower-gpus"}
        assert len([t for t in threading.enumerate() if t.name == "aipower-gpus"]) >= 1


def test_the_first_that_is_asked_brings_all_answers() -> None:
    made = cards(3)
    with wrapped(*made) as found:
        announce(found.sensors)
        assert [card.calls for card in made] == [0, 0, 0], "being told costs nothing"
        found.sensors[1].read()
        assert [card.calls for card in made] == [1, 1, 1]
        found.sensors[0].read()
        found.sensors[2].read()
        assert [card.calls for card in made] == [1, 1, 1]
        found.sensors[2].read()
        assert [card.calls for card in made] == [1, 1, 2], "whoever is not told is asked by itself"


@pytest.mark.parametrize("place", [0, 1, 3])
def test_one_that_hangs_costs_only_itself(place: int) -> None:
    made = cards(4)
    with wrapped(*made) as found:
        hang = Hang(made[place])
        began_s = time.monotonic()
        answers = read_all(found)
        assert time.monotonic() - began_s < SOON_S
        assert [isinstance(answer, HungError) for answer in answers] == [at == place for at in range(4)]
        assert hanging() == (f"GPU-{place}",)
        began_s = time.monotonic()
        for _ in range(100):
            answers = read_all(found)
            assert [isinstance(answer, HungError) for answer in answers] == [at == place for at in range(4)]
        assert time.monotonic() - began_s < SOON_S, "it is not waited for again"
        assert made[place].calls == 1
        hang.end()
        until_well(found)
        assert hanging() == ()


def until_well(found: SensorSet) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while any(isinstance(answer, SensorFailedError) for answer in read_all(found)):
        assert time.monotonic() < deadline_s


def test_several_that_hang_are_left_one_after_the_other() -> None:
    made = cards(5)
    with wrapped(*made, patience_s=0.05) as found:
        hangs = [Hang(made[at]) for at in (0, 2, 3)]
        answers = read_all(found)
        assert [isinstance(answer, HungError) for answer in answers] == [True, False, True, True, False]
        assert hanging() == ("GPU-0", "GPU-2", "GPU-3")
        for hang in hangs:
            hang.end()
        until_well(found)


def test_a_thread_that_was_left_ends_with_its_call() -> None:
    before = threading.active_count()
    made = cards(2)
    with wrapped(*made, patience_s=0.05) as found:
        for _ in range(3):
            hang = Hang(made[0])
            assert isinstance(read_all(found)[0], HungError)
            hang.end()
            until_well(found)
    deadline_s = time.monotonic() + LIMIT_S
    while threading.active_count() > before:
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def test_slow_devices_are_asked_side_by_side_and_fast_ones_are_not() -> None:
    made, slow_s = cards(8), 2 * TURN_S
    with wrapped(*made, patience_s=2.0) as found:
        read_all(found)
        for card in made:
            card.act = lambda: time.sleep(slow_s)
        before = threads()
        for number in (2.0, 3.0):
            assert read_all(found) == [Reading(number, int(number))] * 8
            assert threads() == before, "it takes two slow rounds"
        assert read_all(found) == [Reading(4.0, 4)] * 8, "no answer goes to another device"
        assert len(threads() - before) == MOST_WORKERS - 1


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if isinstance(thread, CallThread)}


def test_one_slow_round_is_no_reason_to_deal_the_calls_out() -> None:
    made = cards(8)
    with wrapped(*made, patience_s=2.0) as found:
        read_all(found)
        before = threads()
        for turn in range(2, 8):
            for card in made:
                card.act = (lambda: None) if turn % 2 else (lambda: time.sleep(TURN_S))
            assert read_all(found) == [Reading(float(turn), turn)] * 8
        assert threads() == before


def test_whoever_is_told_and_not_asked_drops_a_reading_and_keeps_its_usage() -> None:
    made = cards(2)
    with wrapped(*made) as found:
        announce(found.sensors)
        found.sensors[0].read()
        assert found.sensors[1].read() == Reading(1.0, 1)
        announce([*found.sensors, *found.usage.values()])
        found.sensors[0].read()
        assert collected_s(found) == [(0.0, 1.0), (0.0, 1.0)]
        announce(found.usage.values())
        found.usage["GPU-0"].collect()
        announce(found.usage.values())
        assert [source.collect().start_s for source in found.usage.values()] == [2.0, 1.0]


STEPS = st.sampled_from(["tell sensors", "tell usage", "read 0", "read 1", "collect 0", "collect 1", "hang", "end"])


@given(st.lists(STEPS, max_size=25))
def test_whatever_is_told_and_asked_no_window_is_told_twice_or_never(story: list[str]) -> None:
    made = cards(2)
    told: dict[str, list[tuple[float, float]]] = {"GPU-0": [], "GPU-1": []}
    hangs: list[Hang] = []
    with wrapped(*made, patience_s=0.005) as found:
        for step in [*story, "end"]:
            if step == "hang":
                hangs.extend([] if hangs else [Hang(made[0])])
            elif step == "end":
                for hang in hangs:
                    made[0].act = made[0].act if hang.entered.is_set() else lambda: None
                    hang.release.set()
                hangs.clear()
            elif step.startswith("tell"):
                announce(found.sensors if step == "tell sensors" else found.usage.values())
            else:
                ask(found, step, told)
        for at in (0, 1):
            finish(found, at, told)
    for card, windows in zip(made, told.values(), strict=True):
        assert [start_s for start_s, _ in windows] == [0.0, *(end_s for _, end_s in windows[:-1])]
        assert windows[-1][1] == card.since_s


def ask(found: SensorSet, step: str, told: dict[str, list[tuple[float, float]]]) -> None:
    what, at = step.split()
    id_ = f"GPU-{at}"
    try:
        if what == "read":
            found.sensors[int(at)].read()
        else:
            usage = found.usage[id_].collect()
            told[id_].append((usage.start_s, usage.end_s))
    except HungError:
        pass


def finish(found: SensorSet, at: int, told: dict[str, list[tuple[float, float]]]) -> None:
    deadline_s, count = time.monotonic() + LIMIT_S, len(told[f"GPU-{at}"])
    while len(told[f"GPU-{at}"]) == count:
        assert time.monotonic() < deadline_s
        ask(found, f"collect {at}", told)
