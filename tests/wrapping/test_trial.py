from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.wrapping.arms import RECORD, RUN, Arm, TrialError, recorded_by_agent_s, recorded_cpu_s
from benchmarks.wrapping.commands import TRUE, script, storm
from benchmarks.wrapping.trial import Trial, read_trial, run_trial
from benchmarks.wrapping.world import World


def test_times_are_taken_apart(tmp_path: Path) -> None:
    (tmp_path / "mark").write_text("1500000000 3500000000 250000000\n")
    (tmp_path / "watch").write_text("1000000000 3600000000 400000000 5000000 0 0\n")
    seen = read_trial(tmp_path / "mark", tmp_path / "watch", 0.25)
    assert seen == Trial(0.5, 2.0, 0.1, 0.4, 0.25, 5_000_000, 0.25)
    assert (seen.wall_s, seen.extra_cpu_s) == pytest.approx((2.6, 0.15))


@pytest.mark.parametrize(
    ("ending", "reason"), [("0 3", "exit code 3"), ("2 0", "2 processes left"), ("0 0", "did not run")]
)
def test_what_did_not_end_well_is_no_trial(tmp_path: Path, ending: str, reason: str) -> None:
    (tmp_path / "watch").write_text(f"1 2 3 4 {ending}\n")
    with pytest.raises(TrialError, match=reason):
        read_trial(tmp_path / "mark", tmp_path / "watch", 0.0)


def test_nobody_in_front(world: World) -> None:
    seen = run_trial(Arm("bare", "-", lambda _, command: command), world, TRUE)
    assert seen.counted_s is None
    assert 0 < seen.own_s < seen.wall_s


def test_script_notes_its_times(world: World) -> None:
    seen = run_trial(Arm("bare", "-", lambda _, command: command), world, script(10))
    assert seen.own_s >= 0.5  # ten rests of 50 ms
    assert 0 < seen.own_cpu_s < seen.cpu_s


def test_our_own_account_is_that_of_the_kernel(world: World) -> None:
    words = [str(RUN), "-q", "--no-agent", "--sensors", "fake:1", "--json"]
    arm = Arm(
        "ours", "-", lambda folder, command: [*words, str(folder / RECORD), *command], world.ours, recorded_cpu_s
    )
    seen = run_trial(arm, world, storm("fork", 100))
    assert seen.counted_s is not None
    assert seen.own_cpu_s <= seen.counted_s <= seen.cpu_s
    assert seen.before_s > 0


def test_a_wrapper_that_fails_is_no_trial(world: World) -> None:
    arm = Arm("broken", "-", lambda _, command: ["sh", "-c", "exit 9", *command])
    with pytest.raises(TrialError, match="exit code 9"):
        run_trial(arm, world, TRUE)


def test_agent_must_have_measured(tmp_path: Path) -> None:
    record = tmp_path / RECORD
    with pytest.raises(TrialError, match="no record"):
        recorded_by_agent_s(tmp_path)
    record.write_text(json.dumps({"measured_by": "aipower-run", "cpu_time_s": 1.5}))
    with pytest.raises(TrialError, match="measured by aipower-run"):
        recorded_by_agent_s(tmp_path)
    record.write_text(json.dumps({"measured_by": "agent", "cpu_time_s": 1.5}))
    assert recorded_by_agent_s(tmp_path) == 1.5
