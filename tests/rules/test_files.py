"""The files for Prometheus are right by themselves: promtool takes them, and nothing in them is untested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aipower_exporters.metrics import METRICS
from fleet.server import promtool
from rules.files import ALERTS, BUDGETS, DOCS, FOLDER, RECORDING, Rule, cases, rules

TESTS = sorted(path.name for path in (FOLDER / "tests").glob("*.test.yml"))
ALL = (*RECORDING, ALERTS, BUDGETS)
SUMMED = 'kind=~"gpu|cpu|dram"'


def test_promtool_takes_all_rules() -> None:
    done = promtool("check", "rules", *(str(FOLDER / name) for name in ALL))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout + done.stderr


def test_promtool_takes_the_scrape_configuration() -> None:
    done = promtool("check", "config", "--syntax-only", str(FOLDER / "scrape.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", TESTS)
def test_the_rules_do_what_their_tests_say(name: str) -> None:
    done = promtool("test", "rules", name, cwd=FOLDER / "tests")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_rule_would_fail_its_test(tmp_path: Path) -> None:
    for path in (FOLDER / "aipower.rules.yml", FOLDER / "tests" / "aipower.rules.test.yml"):
        text = path.read_text(encoding="utf-8").replace("../", "").replace(f"{{{SUMMED}}}", "")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    done = promtool("test", "rules", "aipower.rules.test.yml", cwd=tmp_path)
    assert done.returncode != 0
    assert "cluster:aipower_power_watts:sum" in done.stdout + done.stderr


def test_each_recording_rule_has_a_test() -> None:
    asked = {word for expr, _ in cases() for word in re.findall(r"[\w:]+", expr)}
    assert {rule.name for rule in rules(*RECORDING, BUDGETS)} <= asked


def test_each_alert_has_a_test_that_fires_and_one_that_does_not() -> None:
    """Where a test has series of both kinds, the alerts that it does not expect are such a test too."""
    seen = set(cases())
    both = ("AipowerTicksLate", "AipowerJobsFolded")
    for alert in rules(ALERTS):
        assert (alert.name, True) in seen, f"no test has {alert.name} fire"
        assert (alert.name, False) in seen or alert.name in both, f"no test has {alert.name} silent"


def test_rules_ask_for_metrics_and_rules_that_are_there() -> None:
    known = {metric.name for metric in METRICS} | {rule.name for rule in rules(*RECORDING, BUDGETS)}
    for rule in rules(*RECORDING, ALERTS):
        asked = set(re.findall(r"\b(?:[a-z_]+:)?aipower[\w:]*", re.sub(r'"[^"]*"', "", rule.expr)))
        assert asked <= known, f"{rule.name}: {asked - known}"


@pytest.mark.parametrize("rule", rules("aipower.rules.yml"), ids=lambda rule: rule.name)
def test_no_sum_has_a_device_that_contains_others(rule: Rule) -> None:
    """Rates of seconds held are of GPUs alone; tokens are nobody's joules."""
    sums = re.findall(r"aipower_(?:device|job|user)\w*_(?:joules_total|watts)\{([^}]*)\}", rule.expr)
    assert all(SUMMED in matchers for matchers in sums)
    assert "aipower_device_power_watts)" not in rule.expr


def test_the_documented_alerts_are_those_of_the_file() -> None:
    documented = re.findall(r"^\| `(Aipower\w+)` \| (\w+) \| (\w*) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == [(rule.name, rule.labels["severity"], rule.wait) for rule in rules(ALERTS)]


def test_the_documented_recording_rules_are_those_of_the_file() -> None:
    documented = re.findall(r"^\| `([\w:]+:aipower[\w:]+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == [rule.name for rule in rules("aipower.rules.yml")]


def test_the_documented_names_of_others_are_those_of_the_files() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for rule in rules("compat-dcgm.rules.yml", "compat-kepler.rules.yml"):
        assert f"`{rule.name}`" in text, rule.name


def test_created_timestamps_are_dropped_and_labels_are_honoured_in_all_scrape_jobs() -> None:
    text = (FOLDER / "scrape.yml").read_text(encoding="utf-8")
    jobs = text.count("- job_name:")
    assert jobs == text.count("honor_labels: true\n    scrape") == text.count("metric_relabel_configs:")
