"""The book: ticks, newest windows, sleep, bounds on what it keeps, and that it never harms the sampler."""

from __future__ import annotations

import gc
import math
import threading
import time
import tracemalloc
from collections.abc import Callable

import pytest

from aipower.calibration.entry import Z_95
from aipower.history import book as book_module
from aipower.history.book import HistoryBook
from aipower.model import Calibration, Device, PartError, ProcessId, ProcessInfo
from history.windows import CPU, GPUS, Made, post, process, steady

A, B = GPUS[:2]


def test_ticks_come_back_as_they_were_with_gaps_where_a_device_was_down() -> None:
    book = HistoryBook()
    book.tick(10.0, {A.id: 100.5})
    book.tick(10.1, {A.id: None, B.id: 0.0})
    book.tick(10.2, {A.id: 101.5, B.id: math.nan})
    book.tick(10.3, {A.id: math.inf})
    ticks = book.ticks(0.0, [A.id, B.id, "stranger"])
    assert ticks.at_s == (10.0, 10.1, 10.2, 10.3)
    assert ticks.power_w == {A.id: (100.5, None, 101.5, None), B.id: (None, 0.0, None, None)}
    assert book.ticks(10.1, [A.id]).at_s == (10.2, 10.3)
    assert book.ticks(10.3, [A.id]).power_w == {A.id: ()}


def test_a_clock_that_stands_or_runs_backwards_adds_no_rows() -> None:
    book = HistoryBook()
    for at_s in (10.0, 10.0, 9.0, math.nan, 10.5):
        book.tick(at_s, {A.id: 1.0})
    assert book.ticks(0.0, [A.id]).at_s == (10.0, 10.5)
    post(book, [*steady(A, 100.0, 5, 300), *steady(A, 101.0, 2, 7000)])
    assert book.chart([A.id], "component", 100, 1000, 1.0).mean_w == (300.0,) * 5


def test_ticks_are_kept_for_a_time_and_up_to_a_number() -> None:
    book = HistoryBook(recent_s=100.0)
    for tick in range(3000):
        book.tick(tick / 10, {A.id: 1.0})
    assert 1000 <= len(book.ticks(-1.0, [A.id]).at_s) <= 1126
    fast = HistoryBook()
    for tick in range(20_000):
        fast.tick(tick / 50, {A.id: 1.0})
    assert book_module.MOST_ROWS <= len(fast.ticks(-1.0, [A.id]).at_s) <= book_module.MOST_ROWS * 9 / 8 + 1


def test_the_newest_window_has_all_parts_and_they_sum_to_the_mean() -> None:
    book = HistoryBook()
    active = {process(pid): pid * 1_000_000 for pid in range(1, 31)}
    errors = {process(2): PartError(9e12, -4e6)}
    window = Made(A, 100.0, 102.0, 50_000_000, 5_000_000, active, {process(2): 10_000_000, process(99): 7}, errors)
    post(book, [Made(A, 99.0, 100.0, 1), window])
    newest = book.latest()[A.id]
    assert (newest.start_s, newest.end_s) == (100.0, 102.0)
    assert newest.mean_w == pytest.approx(window.energy_uj / 2e6)
    parts_w = [part.context_w + part.active_w for part in newest.parts.values()]
    assert len(parts_w) == 31
    assert math.fsum((newest.idle_w, newest.unattributed_w, *parts_w)) == pytest.approx(newest.mean_w)
    assert newest.context_w + newest.active_w == pytest.approx(math.fsum(parts_w))
    part = newest.parts[process(2)]
    own_w = math.sqrt(9 + 16) / 2 * Z_95
    assert part.half_w == pytest.approx(math.hypot(own_w, 0.05 * (part.context_w + part.active_w)))
    assert book.latest()[A.id] is newest


def test_intervals_of_power_and_energy_are_those_of_the_device_s_calibration() -> None:
    mine = Calibration(0.9, -5.0, 0.01, 2.0, -0.01, "a meter")
    book = HistoryBook()
    book.tick(1.0, {B.id: 5.0})
    post(book, steady(A, 100.0, 1, 300), mine)
    expected_w = Z_95 * mine.error_uj(305 / 0.9 * 1e6, 1.0) / 1e6
    assert book.power_half_w(A.id, 300.0) == pytest.approx(expected_w)
    assert book.energy_half_j(A.id, 3000.0, 10.0) == pytest.approx(10 * expected_w)
    assert book.power_half_w(B.id, 5.0) is book.energy_half_j("stranger", 5.0, 1.0) is None


def test_sleep_moves_all_that_is_stored_back() -> None:
    book = HistoryBook()
    for second in range(60):
        book.tick(1000.0 + second, {A.id: 300.0})
        post(book, steady(A, 1000.0 + second, 1, 300))
    book.shift(100.0)
    assert book.ticks(0.0, [A.id]).at_s[-1] == 959.0
    assert book.reach() == (900.0, 960.0)
    assert book.latest()[A.id].end_s == 960.0
    for second in range(60, 90):
        book.tick(1000.0 + second, {A.id: 200.0})
        post(book, steady(A, 1000.0 + second, 1, 200))
    chart = book.chart([A.id], "component", 0.0, 2000.0, 10.0)
    assert chart.start_s[0] == 900.0
    assert chart.mean_w == (*(300.0,) * 6, *(None,) * 10, *(200.0,) * 3)
    assert chart.min_w[:6] == (300.0,) * 6


def test_a_device_that_stays_away_for_the_span_is_forgotten() -> None:
    book = HistoryBook(span_s=600.0, describe=lambda process: ProcessInfo(process, "a"))
    for second in range(1000):
        book.tick(float(second), {A.id: 1.0, B.id: 2.0 if second < 100 else None})
        post(book, [*steady(A, float(second), 1, 1), *(steady(B, float(second), 1, 2, pid=9) if second < 100 else [])])
    assert set(book.latest()) == {A.id}
    assert book.ticks(0.0, [A.id, B.id]).power_w.keys() == {A.id}
    assert len(book._register) == 0


def test_the_number_of_devices_is_bounded_and_the_one_that_left_first_goes() -> None:
    book = HistoryBook()
    for number in range(book_module.MOST_DEVICES + 50):
        device = Device(f"GPU-{number}", "gpu", "H100", str(number))
        book.tick(float(number), {device.id: 1.0})
        post(book, steady(device, float(number), 1, 1))
    assert len(book.latest()) == book_module.MOST_DEVICES
    assert f"GPU-{book_module.MOST_DEVICES + 49}" in book.latest()
    assert "GPU-0" not in book.latest()


def test_names_are_kept_as_long_as_they_are_needed_and_the_oldest_are_given_up_first() -> None:
    described: list[ProcessId] = []

    def describe(process: ProcessId) -> ProcessInfo:
        described.append(process)
        return ProcessInfo(process, f"p{process.pid}")

    book = HistoryBook(span_s=7200.0)
    book.describe_with(describe)
    for window in range(1500):
        pids = range(window * 8, window * 8 + 8)
        active = {process(pid): 10_000_000 + pid for pid in pids}
        post(book, [Made(A, window * 10.0, window * 10.0 + 10, active_uj=active)])
        assert len(book._register) <= book_module.MOST_KNOWN
    newest = book.chart([A.id], "process", 14_900.0, 15_000.0, 10.0)
    assert newest.layers[0].process == ProcessInfo(process(11_999), "p11999")
    oldest = book.chart([A.id], "process", 7900.0, 8000.0, 10.0)
    assert oldest.layers[0].key == "others"
    assert oldest.layers[0].mean_w == oldest.mean_w


def broken(_: ProcessId) -> ProcessInfo:
    raise RuntimeError("no table")


def renamed(process: ProcessId) -> ProcessInfo:
    return ProcessInfo(ProcessId("boot", process.pid + 1, 7), "another")


@pytest.mark.parametrize("describe", [broken, renamed])
def test_words_that_cannot_be_had_cost_the_name_only(describe: Callable[[ProcessId], ProcessInfo]) -> None:
    book = HistoryBook(describe=describe)
    post(book, steady(A, 100.0, 30, 300, pid=5))
    layer = book.chart([A.id], "process", 100.0, 130.0, 10.0).layers[0]
    assert layer.process == ProcessInfo(process(5), "")
    assert layer.mean_w == (300.0,) * 3


def test_a_name_that_was_learned_late_is_shown() -> None:
    names = iter(["", "", "python3", "python3", "python3", "", "", "", "", ""])
    book = HistoryBook(describe=lambda process: ProcessInfo(process, next(names)))
    post(book, steady(A, 100.0, 60, 300, pid=5))
    layer = book.chart([A.id], "process", 100.0, 160.0, 10.0).layers[0]
    assert layer.process == ProcessInfo(process(5), "python3")


def test_what_is_no_tick_and_no_window_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    book = HistoryBook()
    book.tick(1.0, {A.id: "much"})  # type: ignore[dict-item]
    book.tick(1.0, None)  # type: ignore[arg-type]
    book.post(None, Calibration())  # type: ignore[arg-type]
    assert "missing from the history" in caplog.text
    post(book, [Made(A, 100.0, 101.0, active_uj={process(1): 5_000_000}, errors={process(1): PartError(math.nan)})])
    book.tick(102.0, {A.id: 7.0, B.id: 8.0})
    assert book.ticks(2.0, [A.id, B.id]).power_w == {A.id: (7.0,), B.id: (8.0,)}
    assert book.chart([A.id], "process", 100.0, 101.0, 1.0).layers[0].half_w == pytest.approx((0.25,))


def test_windows_that_wait_for_their_bucket_are_told_at_once() -> None:
    book = HistoryBook()
    for second in range(23):
        post(book, steady(A, 100.0 + second, 1, 300 + second, pid=5))
        assert book.reach() is not None
        assert book._devices[A.id].start_s == 100.0
    assert len(book._devices[A.id]._waiting) == 2, "those of the open bucket but its first"
    chart = book.chart([A.id], "process", 100.0, 123.0, 1.0)
    assert chart.mean_w == tuple(300.0 + second for second in range(23))
    assert chart.layers[0].mean_w == chart.mean_w
    assert not book._devices[A.id]._waiting


def test_a_refused_tick_leaves_columns_of_one_length() -> None:
    book = HistoryBook()
    book.tick(1.0, {A.id: 1.0, B.id: 2.0})
    book.tick(2.0, {A.id: 1.0, B.id: "much"})  # type: ignore[dict-item]
    book.tick(3.0, {A.id: 3.0, B.id: 4.0})
    ticks = book.ticks(0.0, [A.id, B.id])
    assert (len(ticks.at_s), ticks.power_w[A.id][-1], ticks.power_w[B.id][-1]) == (2, 3.0, 4.0)


def test_memory_is_flat_after_the_span() -> None:
    book = HistoryBook(span_s=900.0, recent_s=60.0)

    def live(start: int, seconds: int) -> None:
        for second in range(start, start + seconds):
            for tick in range(5):
                book.tick(second + tick / 5, {A.id: 300.0 + tick, CPU.id: 50.0})
            post(book, steady(A, float(second), 1, 300, pid=second // 10))
            post(book, steady(CPU, float(second), 1, 50, pid=second // 3))

    tracemalloc.start()
    live(0, 1500)
    gc.collect()
    first, _ = tracemalloc.get_traced_memory()
    live(1500, 900)
    gc.collect()
    second, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert abs(second - first) < 100_000


def test_readers_and_the_sampler_do_not_disturb_one_another() -> None:
    """What readers see at any time is whole: rows of one length, steps that sum up."""
    book = HistoryBook(span_s=3600.0)
    failures: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            chart = book.chart([A.id, CPU.id], "process", -math.inf, math.inf, 10.0)
            for step, mean_w in enumerate(chart.mean_w):
                parts_w = [layer.mean_w[step] or 0.0 for layer in chart.layers]
                if mean_w is None or abs(math.fsum(parts_w) - mean_w) > 1e-3 or abs(mean_w - 350) > 1e-3:
                    failures.append(f"{chart.start_s[step]}: {mean_w} {parts_w}")
            ticks = book.ticks(0.0, [A.id, CPU.id])
            if {len(column) for column in ticks.power_w.values()} not in ({len(ticks.at_s)}, set()):
                failures.append(f"{len(ticks.at_s)} ticks")
            book.latest()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    deadline_s = time.monotonic() + 60
    try:
        for second in range(1500):
            book.tick(float(second), {A.id: 300.0, CPU.id: 50.0})
            post(book, [*steady(A, float(second), 1, 300, pid=second // 7), *steady(CPU, float(second), 1, 50, pid=3)])
            assert time.monotonic() < deadline_s
    finally:
        stop.set()
        for reader in readers:
            reader.join(60)
    assert not failures, failures[:3]
