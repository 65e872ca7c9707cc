"""What a chart shows: which steps, which powers, which layers, how far they may be off."""

from __future__ import annotations

import math

import pytest

from aipower.calibration.entry import Z_95
from aipower.history.book import HistoryBook
from aipower.model import Calibration, PartError, ProcessId, ProcessInfo
from aipower.site.history import MOST_STEPS
from history.windows import CPU, GPUS, UNCALIBRATED, Made, post, process, steady

A, B = GPUS[:2]
BOTH = (A.id, B.id)
EXACT = Calibration(source="a meter")


def named(process: ProcessId) -> ProcessInfo:
    return ProcessInfo(process, f"worker-{process.pid}")


def test_steps_begin_at_multiples_and_end_where_the_slowest_device_has_closed_its_window() -> None:
    book = HistoryBook()
    post(book, [*steady(A, 100.25, 10, 300), Made(CPU, 100.5, 105.5, idle_uj=500_000_000)])
    chart = book.chart((A.id, CPU.id), "component", 0.0, 1000.0, 1.0)
    assert chart.start_s == (100.0, 101.0, 102.0, 103.0, 104.0)
    assert chart.complete_s == 105.5
    assert chart.mean_w[1:] == pytest.approx([400.0] * 4, rel=1e-6)


def test_a_client_that_asks_on_from_the_end_sees_each_step_once() -> None:
    book, at_s = HistoryBook(), 0.0
    seen: list[float] = []
    for window in steady(A, 7.3, 30, 300):
        post(book, [window])
        chart = book.chart((A.id,), "component", at_s + 1e-7, window.end_s, 0.5)
        seen += chart.start_s
        at_s = chart.start_s[-1] + 0.5 if chart.start_s else at_s
    assert seen == [7.0 + 0.5 * number for number in range(60)]


def test_a_device_that_went_down_holds_nobody_up_and_counts_for_nothing() -> None:
    book = HistoryBook()
    post(book, [*steady(A, 100.0, 60, 300), *steady(B, 100.0, 20, 200)])
    chart = book.chart(BOTH, "device", 100.0, 160.0, 10.0)
    assert chart.complete_s == 160.0
    assert chart.mean_w == pytest.approx((500, 500, 300, 300, 300, 300))
    assert chart.layers[1].mean_w == (200.0, 200.0, None, None, None, None)
    assert chart.layers[1].half_w[2] is None


def test_a_step_that_no_device_has_a_window_in_is_not_known() -> None:
    book = HistoryBook()
    post(book, [*steady(A, 100.0, 10, 300), *steady(A, 130.0, 10, 300)])
    chart = book.chart((A.id,), "component", 100.0, 140.0, 10.0)
    assert chart.mean_w == (300.0, None, None, 300.0)
    assert chart.half_w[1] is chart.min_w[1] is chart.layers[0].mean_w[1] is None


def test_a_device_that_came_up_is_waited_for_until_its_first_window() -> None:
    book = HistoryBook()
    for tick in range(300):
        at_s = 100.0 + tick / 10
        powers: dict[str, float | None] = {A.id: 300.0, CPU.id: 50.0 if tick >= 100 else None}
        book.tick(at_s, powers)
        if tick % 10 == 9:
            post(book, steady(A, 100.0 + tick // 10, 1, 300))
        complete_s = book.chart((A.id, CPU.id), "component", 0.0, 1000.0, 1.0).complete_s
        if 120 < tick < 240:
            assert complete_s == 110.0
    assert complete_s == 130.0


def test_extremes_are_those_of_the_sums_that_ticks_have_seen() -> None:
    book = HistoryBook()
    for tick in range(20):
        book.tick(100.0 + tick / 10, {A.id: 100.0 + tick, B.id: 200.0 - tick if tick != 15 else None})
    post(book, [*steady(A, 100.0, 2, 110), *steady(B, 100.0, 2, 190)])
    chart = book.chart(BOTH, "component", 100.0, 102.0, 1.0)
    assert chart.min_w == chart.max_w == (300.0, 300.0)


def test_a_device_that_is_down_all_the_time_does_not_hide_the_others_extremes() -> None:
    book = HistoryBook()
    book.tick(99.0, {A.id: 1.0, B.id: 1.0})
    for tick in range(10):
        book.tick(100.0 + tick / 10, {A.id: 100.0 + tick})
    post(book, steady(B, 90.0, 1, 1))
    post(book, steady(A, 100.0, 1, 105))
    chart = book.chart(BOTH, "component", 100.0, 101.0, 1.0)
    assert (chart.min_w, chart.max_w) == ((100.0,), (109.0,))


def test_before_the_ticks_the_extremes_of_buckets_bound_the_sum() -> None:
    book = HistoryBook(recent_s=20.0)
    for second in range(100):
        book.tick(1000.0 + second, {A.id: 100.0 + second % 10, B.id: 200.0 - second % 10})
        post(book, [*steady(A, 1000.0 + second, 1, 105), *steady(B, 1000.0 + second, 1, 195)])
    chart = book.chart(BOTH, "component", 1000.0, 1030.0, 10.0)
    assert chart.min_w == (100.0 + 191.0,) * 3
    assert chart.max_w == (109.0 + 200.0,) * 3


def test_the_biggest_processes_are_layers_and_the_rest_is_others() -> None:
    book = HistoryBook(describe=named)
    parts = {process(pid): pid * 1_000_000 for pid in range(1, 26)}
    post(book, [Made(A, 100.0 + s, 101.0 + s, 3_000_000, 2_000_000, parts) for s in range(20)])
    chart = book.chart((A.id,), "process", 100.0, 120.0, 10.0)
    *processes, others, unattributed, idle = chart.layers
    assert [layer.key for layer in processes] == [f"boot-{pid}-7" for pid in range(25, 15, -1)]
    assert [layer.process.comm for layer in processes if layer.process][:2] == ["worker-25", "worker-24"]
    assert [layer.mean_w[0] for layer in processes] == pytest.approx(list(range(25, 15, -1)))
    assert (others.key, others.process) == ("others", None)
    assert others.mean_w == pytest.approx([sum(range(1, 16))] * 2)
    assert [unattributed.mean_w[0], idle.mean_w[0]] == pytest.approx([2.0, 3.0])


def test_a_process_on_two_devices_is_one_layer() -> None:
    book = HistoryBook(describe=named)
    post(book, [*steady(A, 100.0, 10, 300, pid=5), *steady(B, 100.0, 10, 100, pid=5)])
    chart = book.chart(BOTH, "process", 100.0, 110.0, 1.0)
    assert [layer.key for layer in chart.layers] == ["boot-5-7", "others", "unattributed", "idle"]
    assert chart.layers[0].mean_w == pytest.approx([400.0] * 10)


def test_what_may_be_off_together_adds_up_and_the_rest_adds_in_squares() -> None:
    book = HistoryBook()
    post(book, [*steady(A, 100.0, 10, 300), *steady(B, 100.0, 10, 200), *steady(CPU, 100.0, 10, 100)])
    chart = book.chart((*BOTH, CPU.id), "component", 100.0, 110.0, 10.0)
    gpus_w = Z_95 * UNCALIBRATED["gpu"].error_uj(500e6, 2.0) / 1e6
    cpu_w = Z_95 * UNCALIBRATED["cpu"].error_uj(100e6, 1.0) / 1e6
    assert chart.half_w[0] == pytest.approx(math.hypot(gpus_w, cpu_w), rel=1e-5)


def test_calibrated_devices_add_in_squares_as_their_sensors_read() -> None:
    mine = Calibration(0.9, -5.0, 0.01, 2.0, -0.01, "a meter")
    book = HistoryBook()
    post(book, [*steady(A, 100.0, 10, 300), *steady(B, 100.0, 10, 200)], mine)
    chart = book.chart(BOTH, "device", 100.0, 110.0, 5.0)
    halves = [Z_95 * mine.error_uj((watts + 5) / 0.9 * 1e6, 1.0) / 1e6 for watts in (300, 200)]
    assert [layer.half_w[0] for layer in chart.layers] == pytest.approx(halves, rel=1e-5)
    assert chart.half_w[0] == pytest.approx(math.hypot(*halves), rel=1e-5)


def test_a_part_has_independent_errors_in_squares_and_systematic_ones_as_they_are_signed() -> None:
    book = HistoryBook()
    for second in range(20):
        systematic_uj = 6e6 if second % 2 == 0 else -2e6
        errors = {process(1): PartError(4e12, systematic_uj)}
        post(book, [Made(A, 100.0 + second, 101.0 + second, active_uj={process(1): 10**8}, errors=errors)], EXACT)
    half_w = book.chart((A.id,), "process", 100.0, 120.0, 20.0).layers[0].half_w[0]
    assert half_w == pytest.approx(Z_95 * math.sqrt(20 * 4 + 40**2) / 20, rel=1e-5)


def test_the_offset_is_in_the_idle_level_only() -> None:
    book = HistoryBook()
    post(book, [Made(A, 100.0, 101.0, 50_000_000, 0, {process(1): 250_000_000}, {process(1): 20_000_000})])
    layers = {layer.key: layer.half_w[0] for layer in book.chart((A.id,), "component", 100, 101, 1.0).layers}
    gpu = UNCALIBRATED["gpu"]
    assert layers["idle"] == pytest.approx(Z_95 * gpu.error_uj(50e6, 1.0) / 1e6, rel=1e-5)
    assert layers["active"] == pytest.approx(0.05 * 250, rel=1e-5)
    assert layers["context"] == pytest.approx(0.05 * 20, rel=1e-5)
    assert layers["unattributed"] == 0.0


def test_a_window_that_straddles_steps_is_split_by_time() -> None:
    book = HistoryBook()
    post(book, [Made(A, 100.5, 103.0, idle_uj=250_000_000)])
    chart = book.chart((A.id,), "component", 100.0, 103.0, 1.0)
    assert chart.mean_w == pytest.approx((50.0, 100.0, 100.0))


def test_the_gap_of_an_agent_that_was_restarted_is_spread_over_its_time() -> None:
    book = HistoryBook(span_s=3600.0)
    post(book, [Made(A, 0.0, 7200.0, unattributed_uj=720_000 * 10**6), *steady(A, 7200.0, 60, 300)])
    chart = book.chart((A.id,), "component", 0.0, 7260.0, 60.0)
    assert chart.start_s[0] == 3660.0
    assert chart.mean_w[:-1] == pytest.approx([100.0] * 59, rel=1e-5)
    assert chart.mean_w[-1] == 300.0


@pytest.mark.parametrize("step_s", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("started", [False, True])
def test_a_step_that_is_none_is_refused(step_s: float, started: bool) -> None:
    book = HistoryBook()
    post(book, steady(A, 100.0, 10, 300) if started else [])
    with pytest.raises(ValueError, match="step"):
        book.chart((A.id,), "component", 100.0, 110.0, step_s)


def test_too_many_steps_are_refused() -> None:
    book = HistoryBook()
    post(book, steady(A, 100.0, 100, 300))
    with pytest.raises(ValueError, match=f"more than {MOST_STEPS} steps"):
        book.chart((A.id,), "component", 100.0, 200.0, 1e-2)
    with pytest.raises(ValueError, match=f"more than {MOST_STEPS} steps"):
        book.chart((A.id,), "component", 199.0, 200.0, 5e-324)


def test_nothing_is_known_at_first_nor_of_strangers() -> None:
    book = HistoryBook()
    assert book.chart((A.id,), "component", 0.0, 100.0, 1.0).complete_s is None
    assert book.reach() is None
    post(book, steady(A, 100.0, 10, 300))
    stranger = book.chart(("who",), "component", 100.0, 110.0, 5.0)
    assert stranger.start_s == (100.0, 105.0)
    assert stranger.mean_w == stranger.half_w == (None, None)
    assert book.reach() == (100.0, 110.0)


def test_ranges_that_are_empty_or_beyond_all_have_no_steps() -> None:
    book = HistoryBook()
    post(book, steady(A, 100.0, 10, 300))
    assert book.chart((A.id,), "component", 105.0, 105.0, 1.0).start_s == ()
    assert book.chart((A.id,), "component", 500.0, 600.0, 1.0).start_s == ()
    assert book.chart((A.id,), "component", -math.inf, math.inf, 5.0).start_s == (100.0, 105.0)
