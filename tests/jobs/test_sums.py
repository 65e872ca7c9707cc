"""Sums over devices and nodes: exact in microjoules, and how far they may be off."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.jobs.document import DeviceUse
from aipower.jobs.sums import methods_of, summed
from aipower.model import SUMMED_KINDS, Kind

KINDS: list[Kind] = ["gpu", "cpu", "dram", "node"]
ALL = frozenset(SUMMED_KINDS)


@st.composite
def uses(draw: st.DrawFn) -> DeviceUse:
    energy_j = draw(st.integers(0, 10**13)) / 1e6
    half_j = draw(st.integers(0, 10**13)) / 1e6
    return DeviceUse(
        draw(st.text("abc", min_size=1)),
        draw(st.sampled_from(KINDS)),
        "0",
        "counter",
        energy_j,
        half_j,
        half_j * draw(st.floats(0, 1)),
        draw(st.floats(0, 1e6)),
    )


@given(st.lists(uses(), max_size=12))
def test_the_parts_sum_exactly_to_the_total(found: list[DeviceUse]) -> None:
    whole = summed(found, ALL).energy_j
    parts = [whole.gpu, whole.cpu, whole.dram]
    assert None not in parts
    assert round((whole.total or 0) * 1e6) == sum(round((part or 0) * 1e6) for part in parts)
    assert round((whole.total or 0) * 1e6) == sum(round(use.energy_j * 1e6) for use in found if use.kind in ALL)


@given(st.lists(uses(), max_size=12))
def test_errors_add_up_to_no_less_than_their_squares_and_no_more_than_their_sum(found: list[DeviceUse]) -> None:
    halves = [use.half_width_j for use in found if use.kind in ALL]
    half_j = summed(found, ALL).half_width_j
    assert math.hypot(*halves) * (1 - 1e-9) <= half_j <= sum(halves) * (1 + 1e-9) + 1e-9


@given(st.lists(uses(), max_size=8), st.randoms())
def test_the_order_does_not_matter(found: list[DeviceUse], dice: object) -> None:
    other = sorted(found, key=lambda _: getattr(dice, "random")())  # noqa: B009 - its type has no stubs
    assert summed(found, ALL).energy_j == summed(other, ALL).energy_j
    assert summed(found, ALL).half_width_j == pytest.approx(summed(other, ALL).half_width_j)


def use(kind: Kind, half_j: float, independent_j: float, method: str = "counter") -> DeviceUse:
    return DeviceUse("d", kind, "0", method, 100.0, half_j, independent_j)


def test_what_gpus_share_is_added_up_and_what_is_their_own_in_squares() -> None:
    assert summed([use("gpu", 3, 0), use("gpu", 4, 0)], ALL).half_width_j == pytest.approx(7)
    assert summed([use("gpu", 3, 3), use("gpu", 4, 4)], ALL).half_width_j == pytest.approx(5)
    assert summed([use("gpu", 3, 0), use("cpu", 4, 0)], ALL).half_width_j == pytest.approx(5)


def test_what_is_not_measured_is_no_zero() -> None:
    whole = summed([use("cpu", 1, 0)], frozenset(["cpu", "node"]))
    assert (whole.energy_j.gpu, whole.energy_j.cpu, whole.energy_j.total) == (None, 100.0, 100.0)
    assert summed([], frozenset()).energy_j.total is None
    assert summed([], ALL).energy_j.total == 0.0


def test_an_interval_begins_at_zero_at_least() -> None:
    low, high = summed([use("cpu", 300, 0)], ALL).interval_j.cpu or (1.0, 0.0)
    assert (low, high) == (0.0, 400.0)
    assert all(least <= most for least, most in pairwise([low, high]))


def test_methods_are_those_of_what_is_summed() -> None:
    assert methods_of([use("gpu", 1, 0, "integrated"), use("cpu", 1, 0), use("node", 1, 0, "estimated")]) == [
        "counter",
        "integrated",
    ]
