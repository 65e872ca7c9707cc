"""Real processes under a real subreaper: every CPU second of a run is credited once.

The kernel's own account of all that was reaped, RUSAGE_CHILDREN, is the truth.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import aipower

DRIVER = Path(__file__).with_name("subreaper_driver.py")
BRIEF = f"{sys.executable} -S -E -c sum(range(300000))"
"""The command in $BRIEF: a few milliseconds of work. It has no quotes, so that it nests."""


def burner(seconds: float) -> str:
    code = f"import time; exec('while time.process_time() < {seconds}: pass')"
    return f'{sys.executable} -S -E -c "{code}"'


def watch(script: str, *, every_s: float = 0.1) -> Any:
    env = {**os.environ, "BRIEF": BRIEF, "PYTHONPATH": str(Path(aipower.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(every_s), "sh", "-c", script],
        check=True,
        capture_output=True,
        env=env,
        timeout=100,
    )
    return json.loads(done.stdout)


SCRIPTS = {
    "many short children": "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do $BRIEF; done",
    "eight at once": "for i in 1 2 3 4 5 6 7 8; do $BRIEF & done; wait",
    "orphans of a root that left": f"({burner(0.3)} &) ; ({burner(0.2)} &) ; exit 0",
    "orphans of a branch that left": f"sh -c '($BRIEF &) ; exit 0'; {burner(0.3)}",
    "a deep branch": 'sh -c \'sh -c "$BRIEF; sh -c \\"$BRIEF; true\\"; true"; $BRIEF; true\'; $BRIEF; true',
    "long and short": f"{burner(0.6)} & $BRIEF; $BRIEF; $BRIEF; wait",
}


@pytest.mark.parametrize("every_s", [0.01, 0.2])
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_all_that_was_reaped_is_credited_once(script: str, every_s: float) -> None:
    report = watch(script, every_s=every_s)
    assert report["rusage_s"] > 0.02
    assert report["still_living"] == 0
    # Exactly, to the clock tick; five per cent is what is promised.
    assert report["total_s"] == pytest.approx(report["rusage_s"], abs=0.0101)
    assert sum(s for _, s in report["members"]) == pytest.approx(report["total_s"])
    assert report["totals_s"] == sorted(report["totals_s"])


def test_children_too_short_to_be_seen_are_their_shells() -> None:
    report = watch("for i in 1 2 3 4 5 6 7 8 9 10; do $BRIEF; done; true", every_s=1.0)
    assert report["root_s"] > 0.6 * report["rusage_s"]


def test_a_long_child_has_a_line_of_its_own_with_its_command() -> None:
    report = watch(f"{burner(0.5)}; true", every_s=0.05)
    of_child = [s for command, s in report["members"] if "process_time() < 0.5" in command and "sh -c" not in command]
    assert len(of_child) == 1
    assert of_child[0] > 0.3
