"""Devices that are opened side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from aipower.errors import SensorUnavailableError
from aipower.sensors.calls import hanging
from aipower.sensors.openings import Openings

LIMIT_S = 30.0


def until(fact: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not fact():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def test_what_hangs_is_refused_and_found_by_the_first_look_after_its_end() -> None:
    release, begun = threading.Event(), []

    def slow() -> str:
        begun.append(1)
        assert release.wait(LIMIT_S)
        return "slow"

    openings = Openings[str](patience_s=0.1)
    steps: dict[str, Callable[[], str]] = {"GPU 0": slow, "GPU 1": lambda: "quick"}
    for _ in range(3):
        found = openings.run(steps)
        assert found["GPU 1"] == "quick"
        refused = found["GPU 0"]
        assert isinstance(refused, SensorUnavailableError)
        assert refused.reason == "hung"
        assert refused.remedy
    assert hanging() == ("GPU 0",)
    assert len(begun) == 1, "its thread is not started again while it hangs"
    release.set()
    until(lambda: not hanging())
    until(lambda: openings.run(steps) == {"GPU 0": "slow", "GPU 1": "quick"})
    assert len(begun) == 1, "what was opened late is handed out"
    assert openings.run(steps)["GPU 0"] == "slow"
    assert len(begun) == 2, "and only once"


def test_only_those_that_were_begun_now_are_waited_for() -> None:
    release = threading.Event()
    openings = Openings[bool](patience_s=0.5)
    steps = {"GPU 0": lambda: release.wait(LIMIT_S)}
    openings.run(steps)
    began_s = time.monotonic()
    for _ in range(20):
        openings.run(steps)
    assert time.monotonic() - began_s < 5
    release.set()


def test_all_hang_for_one_patience_together() -> None:
    release = threading.Event()
    began_s = time.monotonic()
    found = Openings[bool](patience_s=0.3).run(dict.fromkeys("abcdefgh", lambda: release.wait(LIMIT_S)))
    assert 0.3 <= time.monotonic() - began_s < 2
    assert all(isinstance(refused, SensorUnavailableError) for refused in found.values())
    release.set()


def test_what_a_step_raises_is_handed_on() -> None:
    error = ZeroDivisionError("a bug")

    def fail() -> str:
        raise error

    assert Openings[str]().run({"a": fail, "b": lambda: "well"}) == {"a": error, "b": "well"}
