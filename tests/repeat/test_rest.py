"""The pauses of a series, with a thread that a driver may hang in."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from aipower.run.repeat.options import CoolDown
from aipower.run.repeat.powers import OpenSensors
from aipower.run.repeat.rest import PATIENCE_S, Pauses, cooling_words
from aipower.seams import SensorSet
from fakes import GPU, FakeClock, ScriptedSensor


@dataclass
class Waiter:
    """Waits as `Children` does, but in no real time."""

    clock: FakeClock
    asked: int = 0
    step_s: float = 0.0
    """How far the clock goes on at each look; a thread that works moves it itself."""
    looks: int = 0
    ask_at: int = -1

    def rest(self, over: Callable[[], bool]) -> None:
        while not over() and not self.asked:
            self.looks += 1
            if self.looks == self.ask_at:
                self.asked = 2
            self.clock.sleep(self.step_s)
            time.sleep(0.0005)


@dataclass
class Desk:
    """A waiter, a clock, one GPU whose power is `power_w`, and what was told."""

    clock: FakeClock = field(default_factory=FakeClock)
    told: list[str] = field(default_factory=list)
    power_w: Callable[[float], float | None] = lambda _: 70.0

    def __post_init__(self) -> None:
        self.waiter = Waiter(self.clock)

    def sensors(self) -> SensorSet:
        return SensorSet([ScriptedSensor(self.clock, lambda at_s: (None, self.power_w(at_s)), GPU)])

    def pauses(self, cool_down: CoolDown, open_sensors: OpenSensors | None = None) -> Pauses:
        return Pauses(cool_down, self.waiter, open_sensors or self.sensors, self.clock, self.told.append)


def test_idle_power_is_learned_and_waited_for() -> None:
    desk = Desk()
    pauses = desk.pauses("auto")
    pauses.learn()
    learned_s = desk.clock.monotonic_s()
    desk.power_w = lambda at_s: 300.0 if at_s < learned_s + 12 else 70.0
    waited = pauses.cool(None)
    assert waited.seconds == pytest.approx(12.75, abs=0.3)
    assert waited.warm == {}
    assert pauses.note == ""
    assert "measuring the idle power" in desk.told


def test_device_that_stays_hot_is_told() -> None:
    desk = Desk()
    pauses = desk.pauses("auto")
    pauses.learn()
    desk.power_w = lambda _: 300.0
    warm = pauses.cool(None).warm
    assert {device: tuple(map(round, at)) for device, at in warm.items()} == {"GPU-0": (300, 70)}


def test_seconds_are_waited_for_without_a_sensor() -> None:
    desk = Desk()
    desk.waiter.step_s = 0.5

    def no_sensors() -> SensorSet:
        raise AssertionError("no sensor is needed")

    pauses = desk.pauses(8.0, no_sensors)
    pauses.learn()
    assert pauses.cool(None).seconds == pytest.approx(8.0)
    assert "cooling down, 8 s left" in desk.told


def test_off_neither_learns_nor_waits() -> None:
    desk = Desk()
    pauses = desk.pauses("off")
    pauses.learn()
    assert pauses.cool(None).seconds == 0
    assert desk.clock.monotonic_s() == 0
    assert (desk.told, pauses.note) == ([], "")


def test_without_a_readable_device_there_is_no_cool_down_but_one_note() -> None:
    desk = Desk()
    pauses = desk.pauses("auto", SensorSet)
    pauses.learn()
    assert pauses.note.startswith("no cool-down: no device's power can be read here; see `aipower doctor`")
    before_s = desk.clock.monotonic_s()
    assert pauses.cool(None).seconds == 0
    assert desk.clock.monotonic_s() == before_s


def test_sensors_that_cannot_be_opened_are_a_note() -> None:
    def broken() -> SensorSet:
        raise RuntimeError("no such\nlibrary")

    pauses = Desk().pauses("auto", broken)
    pauses.learn()
    assert pauses.note == "no cool-down: no such library"


def test_driver_that_hangs_is_given_up() -> None:
    desk = Desk()
    desk.waiter.step_s = 0.5
    released = threading.Event()

    def hang() -> SensorSet:
        released.wait(60)
        return SensorSet()

    pauses = desk.pauses("auto", hang)
    pauses.learn()
    released.set()
    assert pauses.note == "no cool-down: a driver hangs"
    assert desk.clock.monotonic_s() == pytest.approx(1.5 + PATIENCE_S, abs=1.1)
    assert pauses.cool(None).seconds == 0


def test_whoever_asks_us_to_end_need_not_wait_for_the_devices() -> None:
    desk = Desk()
    pauses = desk.pauses("auto")
    pauses.learn()
    released = threading.Event()

    def hot(at_s: float) -> float | None:
        released.wait(0.002)
        return 300.0 + at_s

    desk.power_w = hot
    desk.waiter.ask_at = desk.waiter.looks + 3
    began_s = time.monotonic()
    pauses.cool(None)
    assert desk.waiter.asked
    assert time.monotonic() - began_s < 30
    assert desk.clock.monotonic_s() < 60
    assert pauses.note == ""


@pytest.mark.parametrize(
    ("warm", "words"),
    [
        ({}, "cooling down"),
        ({"GPU-0": (143.2, 71.4)}, "cooling down: GPU-0 143 W, idle is 71 W"),
        ({"a": (80.0, 70.0), "b": (90.0, 50.0), "c": (9.0, 1.0)}, "cooling down: b 90 W, idle is 50 W, and 2 more"),
    ],
)
def test_words_of_a_cool_down(warm: dict[str, tuple[float, float]], words: str) -> None:
    assert cooling_words(warm) == words
