"""The weight of work when windows are joined."""

from __future__ import annotations

import pytest

from aipower.attribution.usage import merge
from aipower.model import ProcessId, Usage

ONE, TWO = ProcessId("b", 1, 1), ProcessId("b", 2, 1)


def test_the_weight_is_the_mean_by_busy_time_and_1_where_none_is_given() -> None:
    merged = merge([Usage(0, 1, {ONE: 1.0}, weight={ONE: 0.6}), Usage(1, 2, {ONE: 3.0, TWO: 1.0})])
    assert merged.weight == {ONE: pytest.approx(0.9), TWO: 1.0}


def test_without_weights_there_are_none() -> None:
    assert merge([Usage(0, 1, {ONE: 1.0}), Usage(1, 2, {ONE: 1.0})]).weight == {}
