"""Cuts wait in little memory."""

from __future__ import annotations

import pytest

from aipower.record.phases import kept as module
from aipower.record.phases.cut import Cut
from aipower.record.phases.kept import Kept

TRAIN, EVAL = ("train",), ("eval",)


def test_what_was_put_is_taken_once() -> None:
    kept = Kept(-1)
    kept.put(1.0, {7: {TRAIN: Cut(3e6, 0.5, 2.0, 1.0, 0.25), EVAL: Cut(1.0)}, -1: {}})
    assert kept.take(1.0) == {7: {TRAIN: Cut(3e6, 0.5, 2.0, 1.0, 0.25), EVAL: Cut(1.0)}, -1: {}}
    assert kept.take(1.0) == {}
    assert kept.numbers == 0


def test_where_there_is_too_much_only_the_most_important_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NUMBERS", 8)
    kept = Kept(-1)
    for number in range(3):
        kept.put(float(number), {7: {TRAIN: Cut(1.0)}, -1: {TRAIN: Cut(2.0)}})
    assert kept.take(0.0).keys() == {7, -1}
    assert kept.take(2.0) == {-1: {TRAIN: Cut(2.0)}}
