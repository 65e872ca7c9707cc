"""The judges of the campaigns see what is wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchmarks.campaign.pages import AGENT_START, COUNTERS_START, Key, broken_laws, fault_count, parse, uj
from benchmarks.campaign.tracker import Tracker

PAGE = """
aipower_device_energy_joules_total{device="g",index="0",kind="gpu"} 10.5
aipower_device_component_energy_joules_total{component="idle",device="g",index="0",kind="gpu"} 1.0
aipower_device_component_energy_joules_total{component="context",device="g",index="0",kind="gpu"} 2.0
aipower_device_component_energy_joules_total{component="active",device="g",index="0",kind="gpu"} 4.0
aipower_device_component_energy_joules_total{component="unattributed",device="g",index="0",kind="gpu"} 3.5
aipower_process_energy_joules_total{comm="a",component="context",device="g",index="0",kind="gpu",pid="7"} 2.0
aipower_process_energy_joules_total{comm="a",component="active",device="g",index="0",kind="gpu",pid="7"} 3.0
aipower_process_folded_energy_joules_total{component="active",device="g",index="0",kind="gpu"} 1.0
aipower_user_energy_joules_total{device="g",index="0",kind="gpu",user="0"} 6.0
aipower_run_energy_joules_total{device="g",index="0",kind="gpu",name="",run="r",user="0"} 5.0
aipower_agent_faults_total{device="g",reason="gap"} 2.0
aipower_agent_ticks_total 7.0
aipower_agent_start_time_seconds 100.0
aipower_counters_start_time_seconds 50.0
"""


def page(changes: Mapping[str, float] | None = None) -> dict[Key, float]:
    """The page with other values for the series whose name or label the key names."""
    series = dict(parse(PAGE))
    for word, value in (changes or {}).items():
        (key,) = [key for key in series if word == key[0] or (key[0], word) in {(key[0], v) for _, v in key[1]}]
        series[key] = value
    return series


def test_a_page_that_adds_up_breaks_no_law() -> None:
    assert broken_laws(page()) == []
    assert fault_count(page(), "g", "gap", "unwatched") == 2
    assert uj(10.5) == 10_500_000


@pytest.mark.parametrize(
    ("what", "value", "told"),
    [
        ("idle", 1.000001, "components"),
        ("aipower_user_energy_joules_total", 5.9, "users"),
        ("aipower_run_energy_joules_total", 6.1, "runs"),
        ("aipower_process_folded_energy_joules_total", 1.1, "folded"),
    ],
)
def test_a_microjoule_too_many_is_told(what: str, value: float, told: str) -> None:
    assert any(told in line for line in broken_laws(page({what: value})))


def test_a_tracker_takes_what_rises_and_tells_what_falls() -> None:
    tracker = Tracker()
    assert tracker.see(page()) == []
    assert tracker.see(page({"aipower_user_energy_joules_total": 7.0})) == []
    (told,) = tracker.see(page({"aipower_user_energy_joules_total": 6.999999}))
    assert "user_energy_joules_total{device='g'" in told
    assert tracker.compared > 10


def test_own_counters_begin_anew_with_a_start_only() -> None:
    tracker = Tracker()
    tracker.see(page())
    assert tracker.see(page({AGENT_START: 101.0, "aipower_agent_ticks_total": 1.0})) == []
    assert len(tracker.see(page({AGENT_START: 101.0, "aipower_agent_ticks_total": 0.0}))) == 1


def test_counting_anew_and_devices_that_vanish_are_told_and_processes_may_leave() -> None:
    tracker = Tracker()
    tracker.see(page())
    assert "began anew" in tracker.see(page({COUNTERS_START: 51.0}))[0]
    gone = {key: value for key, value in page().items() if key[0] != "aipower_user_energy_joules_total"}
    assert any("has gone" in line for line in tracker.see(gone))
    left = {key: value for key, value in gone.items() if not key[0].startswith("aipower_process_energy")}
    assert tracker.see(left) == ["counting began anew: 51.0 became 50.0"] or tracker.see(left) == []


def test_an_agent_that_is_starting_is_not_judged() -> None:
    tracker = Tracker()
    tracker.see(page())
    assert tracker.see({(AGENT_START, frozenset()): 102.0}) == []
    assert tracker.see(page()) == []
