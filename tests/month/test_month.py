"""The simulated month judges as it should: right books pass, wrong ones do not."""

from __future__ import annotations

import pickle
import random
from dataclasses import replace

import pytest
from msgspec.structs import replace as altered

from benchmarks.month.course import Course
from benchmarks.month.judge import Verdict, broken_sums
from benchmarks.month.life import Checkpoint, Life, Plan
from benchmarks.month.parts import lived, paced, table

SHORT = Plan(days=0.06, interval_s=3.0, window_s=180.0, gpus=1, processes=2, checkpoints=8, restart_each=3)
SHORT_WITH_RESETS = replace(SHORT, reset_each_s=1500.0, seed=5)


def books() -> list[Checkpoint]:
    return list(Life(replace(SHORT, days=0.02, checkpoints=3, restart_each=2)).checkpoints())


def test_energy_is_the_sum_of_the_levels() -> None:
    course, step_ms = Course(100, 1000, random.Random(1)), 7
    summed_uj = 0
    for at_ms in range(step_ms, 50_000, step_ms):
        before_uj, before_mw = course.energy_uj(at_ms - step_ms), course.level_mw
        used_uj = course.energy_uj(at_ms) - before_uj
        if course.level_mw == before_mw:
            assert used_uj == step_ms * before_mw
        summed_uj += used_uj
    assert summed_uj == course.energy_uj(49_994)


def test_the_books_agree_with_the_counters_over_wraps_resets_and_restarts() -> None:
    verdict = lived(SHORT_WITH_RESETS)
    assert verdict.wrong == []
    assert verdict.totals.wraps > 0
    assert verdict.totals.restarts == 2
    assert pickle.loads(pickle.dumps(verdict)) == verdict  # noqa: S301 - our own, on its way between processes
    assert verdict.anew > 0
    devices, pairs = SHORT.devices, SHORT.checkpoints - 1
    assert verdict.exact == devices * pairs - verdict.anew
    made = table(SHORT_WITH_RESETS, [verdict], 1.0)
    assert [len(row) for row in made.rows] == [len(made.columns)] * devices
    assert made.notes[-1] == "Sums that did not hold: 0."
    assert verdict.drift_ppm("package-0").value == pytest.approx(0, abs=1000)


def test_a_microjoule_too_many_is_found() -> None:
    first, second, third = books()
    row = second.snapshot.devices[0]
    more = altered(row, energy_uj=row.energy_uj + 1, unattributed_uj=row.unattributed_uj + 1)
    verdict = Verdict()
    wrong = altered(second.snapshot, devices=(more, *second.snapshot.devices[1:]))
    for checkpoint in (first, replace(second, snapshot=wrong), third):
        verdict.see(checkpoint, 1.0)
    assert [words.split(" uJ")[0] for words in verdict.wrong] == ["GPU-0000: +1", "GPU-0000: -1"]


def test_parts_that_do_not_sum_are_found() -> None:
    snapshot = books()[0].snapshot
    assert broken_sums(snapshot) == []
    row = snapshot.processes[0]
    assert broken_sums(altered(snapshot, users=()))
    assert broken_sums(
        altered(snapshot, processes=(altered(row, active_uj=row.active_uj + 1), *snapshot.processes[1:]))
    )
    device = snapshot.devices[0]
    assert broken_sums(altered(snapshot, devices=(altered(device, idle_uj=device.idle_uj + 1),)))


def test_the_pace_makes_the_number_of_samples() -> None:
    assert 2 * paced(SHORT, 60_000).samples == pytest.approx(60_000, rel=0.01)
