"""Energy that was posted is in the chart, whatever tier it comes from."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.history.book import HistoryBook
from aipower.model import Device, PartError
from aipower.site.history import By, Chart
from history.windows import CPU, GPUS, Made, post, process

DEVICES = (*GPUS[:2], CPU)
IDS = [device.id for device in DEVICES]


def windows_of(device: Device, windows: int, random: Random) -> list[Made]:
    """Windows of all lengths, most of them one after another."""
    at_s, made = random.uniform(0, 30), []
    for _ in range(windows):
        at_s += random.choice((0.0, 0.0, 0.0, 3.3, 47.0))
        end_s = at_s + random.choice((0.01, 1.0, 40.0)) * random.uniform(0.1, 1.0)
        pids = random.sample(range(1, 31), random.choice((0, 1, 3, 20)))
        active = {process(pid): random.randrange(10**9) for pid in pids}
        context = {process(pid): random.randrange(10**9) for pid in pids[:2]}
        errors = {process(pid): PartError(1e9 * pid, 1e4 * (pid - 15)) for pid in pids}
        idle_uj, unattributed_uj = random.randrange(10**9), random.choice((0, random.randrange(10**9)))
        made.append(Made(device, at_s, end_s, idle_uj, unattributed_uj, active, context, errors))
        at_s = end_s
    return made


def machine(count: int, seed: int) -> list[Made]:
    """Drawn from a seed: to draw thousands of numbers one by one takes longer than all else."""
    random = Random(seed)
    return [window for device in DEVICES for window in windows_of(device, count, random)]


counts, seeds = st.integers(1, 40), st.integers(0, 2**32)
by_all = st.sampled_from(("component", "device", "process"))


def chart_of_all(windows: list[Made], by: By, step_s: float) -> Chart:
    book = HistoryBook(span_s=5000.0, recent_s=150.0)
    post(book, windows)
    return book.chart(IDS, by, 0.0, 5000.0, step_s)


def energy_j(windows: list[Made], start_s: float, end_s: float) -> float:
    return math.fsum(window.energy_uj / 1e6 * window.share(start_s, end_s) for window in windows)


@settings(max_examples=30, deadline=None)
@given(count=counts, seed=seeds, by=by_all, step_s=st.sampled_from((1.0, 2.5, 7.3, 10.0, 30.0, 50.0)))
def test_steps_hold_all_energy_until_the_last_bound(count: int, seed: int, by: By, step_s: float) -> None:
    windows = machine(count, seed)
    chart = chart_of_all(windows, by, step_s)
    if chart.start_s and (step_s < 10 or step_s % 10 == 0):
        end_s = chart.start_s[-1] + step_s
        shown_j = math.fsum(watts * step_s for watts in chart.mean_w if watts is not None)
        assert shown_j == pytest.approx(energy_j(windows, 0.0, end_s), rel=1e-5, abs=1e-6 * end_s)


@settings(max_examples=20, deadline=None)
@given(count=counts, seed=seeds, step_s=st.sampled_from((10.0, 20.0, 60.0)))
def test_steps_of_whole_buckets_show_what_overlaps_them(count: int, seed: int, step_s: float) -> None:
    windows = machine(count, seed)
    chart = chart_of_all(windows, "component", step_s)
    for start_s, watts in zip(chart.start_s, chart.mean_w, strict=True):
        assert (watts or 0.0) * step_s == pytest.approx(
            energy_j(windows, start_s, start_s + step_s), rel=1e-5, abs=1e-2
        )


@settings(max_examples=20, deadline=None)
@given(count=counts, seed=seeds, by=by_all, step_s=st.sampled_from((1.0, 10.0, 13.0)))
def test_layers_are_the_whole(count: int, seed: int, by: By, step_s: float) -> None:
    windows = machine(count, seed)
    chart = chart_of_all(windows, by, step_s)
    for step, watts in enumerate(chart.mean_w):
        parts = [layer.mean_w[step] for layer in chart.layers]
        assert math.fsum(part or 0.0 for part in parts) == pytest.approx(watts or 0.0, rel=1e-5, abs=1e-4)
        if watts is None:
            assert set(parts) == {None}
        assert all(part is None or part >= 0 for part in parts)


@settings(max_examples=10, deadline=None)
@given(count=counts, seed=seeds)
def test_a_device_is_charted_alone_as_it_is_among_others(count: int, seed: int) -> None:
    windows = machine(count, seed)
    book = HistoryBook(span_s=5000.0, recent_s=150.0)
    post(book, windows)
    together = {layer.key: layer for layer in book.chart(IDS, "device", 0.0, 5000.0, 10.0).layers}
    complete = len(book.chart(IDS, "device", 0.0, 5000.0, 10.0).start_s)
    for name in together:
        alone = book.chart([name], "component", 0.0, 5000.0, 10.0)
        assert alone.mean_w[:complete] == together[name].mean_w[: len(alone.mean_w)]
        assert alone.half_w[:complete] == together[name].half_w[: len(alone.half_w)]
