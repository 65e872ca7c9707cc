"""The magics in a real IPython shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integrations.optional import need, run

LOAD = "%load_ext aipower.integrations.jupyter"


def cells(folder: Path, *sources: str) -> list[Any]:
    need("IPython")
    loaded, *shown = run(folder, "cells", LOAD, *sources)
    assert loaded["error"] is None, loaded
    return list(shown)


def test_a_cell(tmp_path: Path) -> None:
    first, second, third = cells(
        tmp_path,
        "%%aipower --name baseline --sensors fake --out m\nimport time\nx = 20\ntime.sleep(0.2)\nx + 1",
        "(x, m.record.name, m.wall_s > 0.2, m.energy_j is not None)",
        "%%aipower --sensors fake -q\ny = x;",
    )
    assert first["error"] is None, first
    assert first["result"] == "21"
    assert "[baseline]" in first["out"]
    assert "total" in first["out"]
    assert "Out[2]: 21" in first["out"]
    assert second["result"] == "(20, 'baseline', True, True)"
    assert third["out"] == ""


def test_a_line(tmp_path: Path) -> None:
    shown = cells(
        tmp_path,
        "%aipower --sensors=fake -q sum(range(10))",
        "value = %aipower --sensors fake -q 'a  b'.split(' ')",
        "value",
        "%aipower --sensors fake --name '' -q z = -1; z",
        "z",
    )
    assert [one["error"] for one in shown] == [None] * 5, shown
    assert shown[0]["result"] == "45"
    assert shown[2]["result"] == "['a', '', 'b']"
    assert shown[4]["result"] == "-1"


def test_an_error_of_the_cell_is_the_cells_error_and_the_report_is_there(tmp_path: Path) -> None:
    (failed,) = cells(tmp_path, "%%aipower --sensors fake\nvalue = 1\nvalue / 0")
    assert failed["error"] == "ZeroDivisionError"
    assert failed["out"].count("ZeroDivisionError: division by zero") == 1
    assert "value / 0" in failed["out"]
    assert "exit 1" in failed["out"]


def test_magics_and_shell_commands_work_within(tmp_path: Path) -> None:
    (shown,) = cells(tmp_path, "%%aipower --sensors fake -q\nfiles = !echo one two\nfiles[0]")
    assert shown["result"] == "'one two'"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%aipower", "no statement"),
        ("%%aipower --nonsense\n1", "unrecognized arguments: --nonsense"),
        ("%%aipower --sensors nvlm\n1", 'did you mean "nvml"?'),
        ("%%aipower --sensors rapl\n1", "RAPL"),
        ("%%aipower --interval 0\n1", "must be from 0.01"),
        ("%%aipower --name 'x\n1", "No closing quotation"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, line: str, words: str) -> None:
    (shown,) = cells(tmp_path, line)
    assert shown["error"] == "UsageError"
    assert words in shown["err"]
    assert "Traceback" not in shown["out"] + shown["err"]


def test_help(tmp_path: Path) -> None:
    (shown,) = cells(tmp_path, "%aipower --help")
    assert "--sync" in shown["out"]
    assert shown["error"] is None
