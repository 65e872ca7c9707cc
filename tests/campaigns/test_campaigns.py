"""The campaigns in small, with real agents: what they do by the hundred works, and nothing is wrong."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.campaign.rapl import Tree
from benchmarks.crash.cli import crash
from benchmarks.fuzz import cli as fuzz
from benchmarks.soak.cli import report, soak


def test_agents_are_killed_and_nothing_is_lost(tmp_path: Path) -> None:
    lines, wrong = crash(tmp_path, rounds=2, seed=5)
    assert wrong == []
    assert "'kill': 2" in lines[1]
    assert "'stop': 1" in lines[1]


def test_a_soak_has_its_figures(tmp_path: Path) -> None:
    seen = soak(tmp_path, seconds=6.0, interval_s=0.1, seed=5)
    assert seen.wrong == []
    assert len(seen.gauges) > 20
    assert seen.gauges[-1].ticks > seen.gauges[0].ticks
    assert seen.gauges[-1].anonymous_mb > 10
    assert seen.done["jobs replaced"] > 5
    assert any(line.startswith("anonymous_mb after warm-up") for line in report(seen, 0.1))


@pytest.mark.parametrize(("what", "inputs"), [("http", 300), ("socket", 300), ("config", 350), ("journal", 300)])
def test_a_fuzzer_of_each_kind_finds_nothing(what: str, inputs: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main([what, "--inputs", str(inputs), "--seed", "11"]) == 0
    told = capsys.readouterr().out
    assert f"{inputs} inputs in" in told
    assert told.endswith("findings: 0\n")


def test_the_trees_counters_are_the_integral_of_their_power(tmp_path: Path) -> None:
    with Tree(tmp_path / "powercap") as tree:
        zone = tree.zones[0]
        for cycles in (1, 3):
            spent_uj = zone.counter_uj(zone.began_s + cycles * zone.period_s) - zone.counter_uj(zone.began_s)
            assert math.isclose(spent_uj, zone.watts * cycles * zone.period_s * 1e6, rel_tol=1e-6)
        shown = int((tmp_path / "powercap" / zone.id / "energy_uj").read_text())
        assert zone.counter_uj(zone.began_s) <= shown
