"""Where words and bytes go."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from aipower.errors import AipowerError
from aipower.runs.output import USUAL_COLUMNS, colours, glyphs, width_of, write_file
from runs.commands import terminal


@pytest.mark.parametrize(("told", "width"), [("", None), ("0", None), ("x", None), ("-3", None), ("72", 72)])
def test_a_pipe_has_no_width_unless_somebody_says_so(told: str, width: int | None) -> None:
    assert width_of(io.StringIO(), {"COLUMNS": told}) == width


@pytest.mark.parametrize(("columns", "width"), [(57, 57), (0, USUAL_COLUMNS)])
def test_a_terminal_has_one(columns: int, width: int) -> None:
    with terminal(columns) as (_, theirs), os.fdopen(theirs, "w", closefd=False) as stream:
        assert width_of(stream, {}) == width
        assert width_of(stream, {"COLUMNS": "33"}) == 33
        assert colours(stream, {"TERM": "xterm"})
        assert not colours(stream, {"TERM": "dumb"})
        assert not colours(stream, {"NO_COLOR": "1"})
        assert glyphs(stream, {"TERM": "xterm"}) == (stream.encoding.lower() in {"utf-8", "utf8"})
        assert not glyphs(stream, {"TERM": "linux"})


def test_a_file_that_fails_half_way_keeps_what_was_there(tmp_path: Path) -> None:
    def half() -> list[bytes]:
        raise OSError(28, "No space left on device")

    target = tmp_path / "x"
    target.write_text("old")
    with pytest.raises(AipowerError, match="x cannot be written: No space left on device"):
        write_file(str(target), (chunk for chunks in [lambda: [b"new"], half] for chunk in chunks()))
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_long_name_will_do(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 250)
    assert write_file(str(target), [b"a", b"bc"]) == 3
    assert target.read_bytes() == b"abc"
