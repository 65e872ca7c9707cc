"""docs/runs.md tells the options and columns that there are."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from aipower.runs.cli import add_export_arguments, add_report_arguments, add_rm_arguments, add_runs_arguments
from aipower.runs.flat import cells_of
from aipower_exporters.csv import COLUMNS, render_csv
from store.records import with_everything

MANUAL = (Path(__file__).parents[2] / "docs" / "runs.md").read_text()


def section(title: str) -> str:
    return MANUAL.split(f"## {title}\n")[1].split("\n## ")[0]


def first_column(text: str) -> list[str]:
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def test_all_options_are_told() -> None:
    told = set(re.findall(r"(?<![\w-])(-{1,2}[a-z][a-z-]*)", MANUAL))
    for add in (add_runs_arguments, add_report_arguments, add_rm_arguments, add_export_arguments):
        parser = argparse.ArgumentParser()
        add(parser)
        real = {option for action in parser._actions for option in action.option_strings}
        short_too = {"-h", "--help", "--verbose", "--force", "--output"}
        assert real - short_too <= told


def test_the_columns_of_the_long_table() -> None:
    text = section("The table of one run")
    assert sorted(first_column(text)) == sorted(COLUMNS)
    sections = {line.split(",")[1] for line in render_csv(with_everything()).decode().splitlines()[1:]}
    told = next(line for line in text.splitlines() if line.startswith("| `section`"))
    assert set(re.findall(r"`(\w+)`", told)) - {"section"} == sections


def test_the_columns_of_the_table_of_many_runs() -> None:
    told = first_column(section("aipower export"))
    assert [word for word in told if "." not in word] == [
        column for column in cells_of(with_everything()) if "." not in column
    ]
    assert [word for word in told if "." in word] == ["metric.NAME", "work.UNIT", "j_per.UNIT"]
