"""docs/cluster-report.md shows what is printed, and tells all options."""

from __future__ import annotations

import argparse
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aipower.runs.options import add_cluster_options
from fleet_report.user import User
from fleet_report.world import END_S

MANUAL = (Path(__file__).parents[2] / "docs" / "cluster-report.md").read_text(encoding="utf-8")
SHOWN_URL = "http://prometheus:9090"


def examples() -> list[tuple[str, list[str]]]:
    """Each command with the lines that are shown below it."""
    blocks = re.findall(r"^    \$ aipower report (.*)\n((?:    .*\n)+)", MANUAL, re.MULTILINE)
    return [(command, [line[4:] for line in shown.splitlines()]) for command, shown in blocks]


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown as the clocks of the place have them."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_utc")
@pytest.mark.parametrize("number", range(3))
def test_what_is_shown_is_printed(user: User, world: str, number: int) -> None:
    command, shown = examples()[number]
    option, url, *words = shlex.split(command)
    assert (option, url) == ("--prometheus", SHOWN_URL)
    until = () if "--until" in words else ("--until", str(END_S))
    told = user.call(world, *words, *until).out.splitlines()
    # A job's exit code is no metric.
    assert [line.replace("  exit 0", "") for line in told] == shown


def test_there_are_three_examples() -> None:
    assert len(examples()) == 3


def test_all_options_are_told() -> None:
    parser = argparse.ArgumentParser()
    add_cluster_options(parser)
    real = {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}
    told = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*)", MANUAL))
    assert real <= told
    assert told - real <= {"--json", "--csv", "--html"}


def test_every_fault_of_a_report_is_told() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", MANUAL.split("## Faults")[1], re.MULTILINE))
    source = Path(__file__).parents[2] / "agent" / "aipower" / "fleet"
    text = "".join(path.read_text(encoding="utf-8") for path in source.glob("*.py"))
    made = set(re.findall(r'"(unscraped|cut_off|counter_reset|partial|partial_response)"', text))
    assert told == made
