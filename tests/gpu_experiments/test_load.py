"""The load: its times in a time of our own, and its life as a real child."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gpu.load import Control, Worker, drive, window
from benchmarks.gpu.loads import ChildLoads, last_report
from benchmarks.gpu.seams import STEADY, LoadReport, LoadSpec, SkipError, Work

SLEEPY = (sys.executable, str(Path(__file__).with_name("sleepy_load.py")))


@dataclass(slots=True)
class Time:
    at_s: float = 1000.0

    def now_s(self) -> float:
        self.at_s += 2e-6
        return self.at_s

    def unix_s(self) -> float:
        return self.at_s

    def sleep(self, seconds: float) -> None:
        self.at_s += seconds


@dataclass(slots=True)
class Gpu:
    """Does one batch after another; waiting for one takes until it is done."""

    time: Time
    free_s: float = 0.0
    version: str = "none"

    def unit_s(self, work: Work) -> float:
        del work
        return 0.0002

    def launch(self, work: Work, units: int) -> tuple[float, float]:
        begin_s = max(self.free_s, self.time.at_s)
        self.free_s = begin_s + units * self.unit_s(work)
        return begin_s, self.free_s

    def wait(self, token: tuple[float, float]) -> float:
        begin_s, end_s = token
        self.time.at_s = max(self.time.at_s, end_s)
        return end_s - begin_s


def driven(spec: LoadSpec, seconds: float) -> tuple[Worker, float]:
    time = Time()
    worker = Worker(Gpu(time), time)
    drive(worker, Control(spec, end_s=time.at_s + seconds))
    return worker, time.at_s - 1000.0


@pytest.mark.parametrize(
    ("period_s", "duty"), [(0.025, 0.5), (0.067, 0.5), (0.1, 0.5), (0.1, 0.25), (1.05, 0.6), (4.0, 0.5), (1.0, 1.0)]
)
def test_busy_for_its_duty_and_never_late(period_s: float, duty: float) -> None:
    worker, wall_s = driven(LoadSpec(period_s, duty), 20 * period_s)
    assert worker.busy_s / wall_s == pytest.approx(duty, rel=0.06)
    assert worker.late_s < 0.0005
    assert worker.products == pytest.approx(worker.busy_s / 0.0002)


def test_a_context_alone_does_nothing() -> None:
    worker, _ = driven(LoadSpec(work="none"), 1.0)
    assert (worker.products, worker.busy_s) == (0, 0.0)


@given(st.floats(0, 1e5), st.floats(0.002, 10), st.floats(0.05, 1), st.floats(0, 10))
def test_window_is_on_the_grid_and_not_over(now_s: float, period_s: float, duty: float, shift_s: float) -> None:
    on_s, off_s = window(LoadSpec(period_s, duty, shift_s), now_s)
    assert off_s > now_s - 1e-9
    assert on_s <= now_s + period_s + 1e-9
    periods = (on_s - shift_s) / period_s
    assert periods == pytest.approx(round(periods), abs=1e-5)


def test_a_child_comes_up_changes_and_ends() -> None:
    with ChildLoads("", SLEEPY, needs="").start(LoadSpec(work="none")) as load:
        load.change(STEADY)
        assert load.process.poll() is None
        assert load.pid == load.process.pid
    assert load.process.returncode == 0
    assert isinstance(load.finish(), LoadReport)


def test_a_child_that_fails_is_a_reason_to_skip() -> None:
    with (
        pytest.raises(SkipError, match="out of memory"),
        ChildLoads("", SLEEPY, needs="").start(LoadSpec(memory_gb=40)),
    ):
        pytest.fail("it came up")


def test_loads_are_missing_where_their_module_is() -> None:
    assert "torch" in ChildLoads("", SLEEPY, needs="no_such_module").missing
    assert not ChildLoads("", SLEEPY, needs="json").missing


@pytest.mark.parametrize("text", ["", "words\n", '{"unknown": 1}'])
def test_silence_is_an_empty_report(text: str) -> None:
    assert last_report(text) == LoadReport()
