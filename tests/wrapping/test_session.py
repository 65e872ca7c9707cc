from __future__ import annotations

import pytest

from benchmarks.wrapping.arms import Arm
from benchmarks.wrapping.commands import TRUE
from benchmarks.wrapping.session import Plan, Session
from benchmarks.wrapping.world import World

BARE = Arm("bare", "-", lambda _, command: command)
SLOW = Arm("slow", "-", lambda _, command: ["env", *command], slow=True)
BROKEN = Arm("broken", "-", lambda _, command: ["false", *command])


def test_each_arm_has_its_trials_and_a_broken_one_none(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    found = Session(world, (BARE, SLOW, BROKEN), (), 0.0).measure("nothing", TRUE, Plan(3, 1, 60.0))
    assert {name: len(trials) for name, trials in found.items()} == {"bare": 3, "slow": 1}
    assert "broken: exit code 1" in capsys.readouterr().err


def test_slow_arms_may_be_left_out(world: World) -> None:
    assert list(Session(world, (BARE, SLOW), (), 0.0).measure("nothing", TRUE, Plan(1, 0, 60.0))) == ["bare"]
