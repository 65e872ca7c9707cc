from __future__ import annotations

from journal.fuzz import fuzz


def test_no_damage_is_too_much() -> None:
    found = fuzz(1500, seed=7)
    assert set(found) <= {"counters", "corrupt", "newer", "nothing"}
    assert found["counters"] > 500
    assert found["corrupt"] > 100
