"""What a page has shown never falls, and what the hardware has counted is never lost, however often it is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import msgspec

NURSERY = Path(__file__).with_name("nursery.py")
ROUNDS = 30


def test_no_counter_falls_and_no_joule_is_lost_over_kill_9(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, NURSERY, tmp_path / "state", str(ROUNDS)],
        capture_output=True,
        timeout=100,
        check=False,
        env={**os.environ, "PYTHONPATH": str(NURSERY.parents[1])},
    )
    assert (done.stderr.decode(), done.returncode) == ("", 0)
    pages = [msgspec.json.decode(line, type=dict[str, int]) for line in done.stdout.splitlines()]
    assert len(pages) >= ROUNDS // 2
    for before, after in pairwise(pages):
        assert all(after[key] >= value for key, value in before.items() if key != "owed")
    for page in pages:
        assert page["user"] == page["run"] == page["work"]
        assert page["process"] <= page["work"]
        assert page["work"] + page["unattributed"] == page["device"]
    assert len({page["owed"] for page in pages}) == 1, (
        "the counter's rise since the very first read, to the microjoule"
    )
    assert 0 < pages[-1]["unwatched"] < ROUNDS
