from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from aipower.arguments import Parser
from aipower.compare.cli import add_arguments
from aipower.compare.model import SCHEMA, Verdict

DOCS = Path(__file__).parents[2] / "docs"
MANUAL = (DOCS / "compare.md").read_text()
OF_AIPOWER_RUN = {"--name", "--metric", "--fused", "--cool-down"}


def test_the_manual_tells_every_verdict() -> None:
    table = MANUAL.split("## What it says")[1].split("\n\n")[1]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)} == set(get_args(Verdict))


def test_the_manual_tells_every_option_and_no_other() -> None:
    parser = Parser("aipower compare")
    add_arguments(parser)
    real = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    told = set(re.findall(r"(?<![|\w-])--[a-z-]+[a-z]", MANUAL))
    assert told - OF_AIPOWER_RUN == real - {"--help", "--verbose"}


def test_the_manual_names_the_schema_and_its_pages_exist() -> None:
    assert SCHEMA in MANUAL
    for target in re.findall(r"\]\(([^)#]+)\)", MANUAL):
        assert target.startswith("../benchmarks/results/") or (DOCS / target).exists(), target
