"""Pauses between reads: about as long as asked for, and never in step with a counter."""

from __future__ import annotations

import pytest

from aipower.record.runmeter import uneven_s


def test_pauses_are_about_as_long_as_asked_for() -> None:
    pauses_s = [uneven_s(0.1, number) for number in range(1000)]
    assert 0.075 <= min(pauses_s) < 0.076
    assert 0.104 < max(pauses_s) <= 0.105
    assert sum(pauses_s) / len(pauses_s) == pytest.approx(0.09, rel=0.01)


def test_reads_meet_all_parts_of_a_counters_period() -> None:
    """Where each read is in a period of 0.1 s: every tenth of it is met about as often."""
    at_s, met = 0.0, [0] * 10
    for number in range(1000):
        at_s += uneven_s(0.1, number)
        met[int(at_s / 0.01) % 10] += 1
    assert min(met) > 60
