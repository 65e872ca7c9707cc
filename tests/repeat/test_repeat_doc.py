"""docs/repeat.md says what is true."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec.structs import fields

from aipower.run.options import SWITCHES, VALUED
from aipower.run.repeat.cooldown import LEARN_S, MOST_S, NEAR, NEAR_W
from aipower.run.repeat.powers import MEAN_S
from aipower.run.repeat.summary import SCHEMA, SeriesSummary

TEXT = (Path(__file__).parents[2] / "docs/repeat.md").read_text()


def test_options_exist() -> None:
    named = set(re.findall(r"(?<=[`\s(])(-{1,2}[a-z][a-z-]*)(?=[` )=])", TEXT))
    known = {name for names, *_ in (*SWITCHES, *VALUED) for name in names} | {"-c", "--seconds", "--series"}
    assert named <= known
    assert {"-r", "--warmup", "--prepare", "--cool-down", "--ignore-failure", "--output"} <= named


def test_table_of_the_json_names_each_field() -> None:
    table = TEXT.split("## The JSON")[1]
    named = set(re.findall(r"`([a-z_]+)`", table))
    assert SCHEMA in table
    assert {field.name for field in fields(SeriesSummary)} - {"schema"} <= named


def test_constants_of_the_cool_down() -> None:
    words = " ".join(TEXT.split())
    assert f"measured for {LEARN_S} s" in words
    assert f"last {MEAN_S} s is no more than {100 * NEAR:.0f} % (or {NEAR_W:.0f} W" in words
    assert f"for at most {MOST_S:.0f} s" in words
