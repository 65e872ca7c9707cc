"""The cursor of the samples: which rows are believed, what time they stand for, clocks that are set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import SensorFailedError
from aipower.model import ProcessId
from aipower.sensors.nvml.codes import CallError
from aipower.sensors.nvml.discovery import discover
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.sampler import UtilizationSampler, Work
from sensors.nvml.standin import UUID, FakeClock, Row, Standin, fails, process, resolve, rows

UTILIZATION = "nvmlDeviceGetProcessUtilization"
WIDE = "nvmlDeviceGetProcessesUtilizationInfo"
PERIOD_US = 166_666


@dataclass(slots=True)
class Ring:
    """A driver that keeps whole samples, one process in each, and answers as the real one does."""

    clock: FakeClock
    samples: list[tuple[int, int, int]] = field(default_factory=list)
    """Stamp, pid (0: nobody) and percent."""

    def run(self, pids: Sequence[int], percent: int = 100) -> None:
        """Let a sample's time pass for each of `pids`."""
        for pid in pids:
            self.clock.sleep(PERIOD_US / 1e6)
            self.samples.append((round(self.clock.unix_s() * 1e6), pid, percent))

    def answer(self, _handle: object, seen_us: int) -> list[Row]:
        news = [sample for sample in self.samples[-60:] if sample[0] > seen_us]
        pids = sorted({pid for _, pid, _ in news if pid})
        if not pids:
            return fails(6)()  # type: ignore[no-any-return]  # it raises
        return [self._row(pid, news) for pid in pids]

    @staticmethod
    def _row(pid: int, news: Sequence[tuple[int, int, int]]) -> Row:
        own = [(stamp_us, percent) for stamp_us, owner, percent in news if owner == pid]
        return Row(pid, sum(percent for _, percent in own) // len(news), own[-1][0])


def sampler(clock: FakeClock, answer: Any) -> UtilizationSampler:
    return UtilizationSampler(Driver(Standin({UTILIZATION: answer, WIDE: fails(3)})), 0, clock)


def on_ring() -> tuple[Ring, UtilizationSampler]:
    ring = Ring(FakeClock())
    return ring, sampler(ring.clock, ring.answer)


def busy_s(work: Sequence[Work]) -> dict[int, float]:
    return {part.pid: part.busy_s for part in work}


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=12), min_size=1, max_size=30))
def test_every_sample_counts_once(windows: list[list[int]]) -> None:
    """However the work falls into windows of up to 2 s: the sum is the samples' time, less the rounding down."""
    ring, subject = on_ring()
    seen: dict[int, float] = dict.fromkeys((1, 2, 3), 0.0)
    slack_s = 0.0
    for window in windows:
        ring.run(window)
        for pid, seconds in busy_s(subject.new_work()).items():
            seen[pid] += seconds
        slack_s += 0.01 * (len(window) * PERIOD_US / 1e6 + 2.0)
    for pid, seconds in seen.items():
        true_s = sum(window.count(pid) for window in windows) * PERIOD_US / 1e6
        # The cursor that follows the clock through idleness may cut one sample's time in two, each time.
        cut_s = sum(pid in window for window in windows) * PERIOD_US / 1e6 * 0.1
        assert true_s - slack_s - 1e-3 <= seconds <= true_s + cut_s + 1e-3


def test_the_stamps_are_those_of_each_process() -> None:
    ring, subject = on_ring()
    ring.run([1, 1, 2])
    last_unix_s = ring.clock.unix_s()
    first, second = subject.new_work()
    assert (first.pid, second.pid) == (1, 2)
    assert first.at_unix_s == pytest.approx(last_unix_s - PERIOD_US / 1e6, abs=1e-5)
    assert second.at_unix_s == pytest.approx(last_unix_s, abs=1e-5)


@pytest.mark.parametrize("step_s", [3600.0, -3600.0, 2.5, -2.5])
def test_a_clock_that_is_set_costs_one_window_at_most(step_s: float) -> None:
    ring, subject = on_ring()
    ring.run([1] * 6)
    subject.new_work()
    ring.clock.wall_offset_s += step_s
    ring.samples.clear()
    totals_s = []
    for _ in range(5):
        ring.run([1] * 6)
        totals_s.append(sum(busy_s(subject.new_work()).values()))
    assert totals_s[1:] == pytest.approx([1.0] * 4, abs=0.01)
    assert 0.0 <= totals_s[0] <= 1.01


def test_a_sleep_of_the_machine_is_no_work() -> None:
    """The wall clock jumps, the monotonic clock stood still: the window is short, and so is the work in it."""
    ring, subject = on_ring()
    ring.run([1] * 6)
    subject.new_work()
    ring.clock.wall_offset_s += 8 * 3600
    ring.run([1] * 3)
    assert busy_s(subject.new_work()) == {1: pytest.approx(0.5, abs=0.01)}


def test_a_driver_that_ignores_the_cursor_is_not_counted_again() -> None:
    clock = FakeClock()
    subject = sampler(clock, rows(Row(1, 50, round((clock.unix_s() + 0.5) * 1e6))))
    clock.sleep(1.0)
    assert busy_s(subject.new_work()) == {1: pytest.approx(0.5, abs=0.1)}
    for _ in range(3):
        clock.sleep(1.0)
        assert subject.new_work() == []


GARBAGE = st.builds(
    Row,
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1) | st.integers(0, 101),
    st.integers(0, 2**64 - 1) | st.integers(1_700_001_000_000_000, 1_700_001_003_000_000),
)


@given(st.lists(st.lists(GARBAGE, max_size=5), max_size=8))
def test_garbage_is_never_more_than_the_time_that_passed(replies: list[list[Row]]) -> None:
    clock = FakeClock()
    for reply in replies:
        subject = sampler(clock, rows(*reply))
        clock.sleep(1.0)
        for part in subject.new_work():
            assert 0.0 < part.busy_s <= 3.0 + 1e-6
            assert part.at_unix_s <= clock.unix_s() + 2.0


@given(st.lists(GARBAGE, max_size=5))
def test_garbage_does_not_hide_what_follows(garbage: list[Row]) -> None:
    ring, _ = on_ring()
    bad = [Row(row.pid, 101 + row.smUtil, row.timeStamp) for row in garbage]
    subject = sampler(ring.clock, lambda handle, seen_us: [*bad, *ring.answer(handle, seen_us)])
    for _ in range(3):
        ring.run([5] * 6)
        assert busy_s(subject.new_work()) == {5: pytest.approx(1.0, abs=0.01)}


def test_skipped_samples_stay_away() -> None:
    ring, subject = on_ring()
    ring.run([1] * 6)
    subject.skip()
    ring.run([2] * 3)
    assert busy_s(subject.new_work()) == {2: pytest.approx(0.5, abs=0.01)}


@pytest.mark.parametrize("code", [10, 15, 999])
def test_a_failure_is_not_idleness(code: int) -> None:
    with pytest.raises(CallError):
        sampler(FakeClock(), fails(code)).new_work()


def test_a_sizing_call_of_the_wide_function_that_succeeds_is_idleness() -> None:
    nvml = Standin({UTILIZATION: fails(3), WIDE: fails(0)})
    subject = UtilizationSampler(Driver(nvml), 0, FakeClock())
    assert subject.new_work() == []
    assert subject.supported


def test_the_quirk_of_sizing_without_the_library_is_no_crash() -> None:
    subject = sampler(FakeClock(), fails(0))
    assert subject.new_work() == []
    assert not subject.supported


def test_a_process_table_that_fails_is_a_failed_window() -> None:
    def broken(sightings: Iterable[tuple[int, float | None]]) -> list[ProcessId]:
        if failing:
            raise PermissionError(13, "Permission denied", "/proc/1/stat")
        return resolve(sightings)

    failing = True
    ring = Ring(FakeClock())
    source = discover(Standin({UTILIZATION: ring.answer}), broken, ring.clock).usage[UUID]
    ring.run([1] * 6)
    with pytest.raises(SensorFailedError, match="/proc"):
        source.collect()
    failing = False
    ring.run([2] * 6)
    assert source.collect().busy_s == {process(2): pytest.approx(1.0, abs=0.01)}
