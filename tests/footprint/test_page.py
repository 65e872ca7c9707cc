"""The page about the footprint says what the command says."""

from __future__ import annotations

import io
import re
import shlex
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from aipower.arguments import Parser
from aipower.footprint.cli import add_arguments, main
from aipower.footprint.grid import zones
from aipower.footprint.settings import Footprint, from_fields

PAGE = (Path(__file__).parents[2] / "docs" / "footprint.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    aipower equiv (.*)$", PAGE, re.MULTILINE)


def answer(command: str) -> str:
    parser = Parser(prog="aipower equiv")
    add_arguments(parser)
    stdout = io.StringIO()
    environ = {"AIPOWER_USER_CONFIG": "none"}
    assert main(parser.parse_args(shlex.split(command)), stdout=stdout, environ=environ, home="/nonexistent") == 0
    return stdout.getvalue()


def test_there_are_commands_to_test() -> None:
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(command: str) -> None:
    assert answer(command)


def test_the_answer_on_the_page_is_the_commands() -> None:
    shown = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert answer(COMMANDS[0]) == shown[1]


def test_the_file_on_the_page_is_right() -> None:
    shown = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert from_fields(tomllib.loads(shown[1])["footprint"]) == Footprint(0.32, "EUR", 1.2, "DEU")


def test_the_years_on_the_page_are_the_tables() -> None:
    years = Counter(zone.year for zone in zones())
    told = re.search(r"(\d+) of\s2024, (\d+) of\s2023, (\d+) of 2022", PAGE)
    assert told is not None
    assert [int(number) for number in told.groups()] == [years[2024], years[2023], years[2022]]
    assert f"{len(zones())} countries" in PAGE
