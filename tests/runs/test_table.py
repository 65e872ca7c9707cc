"""The table in windows of all widths."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.runrecord import Energies, Intervals, RunRecord, SeriesRecord, to_json
from aipower.runs.rows import Row, rows_of
from aipower.runs.table import legend, table
from aipower.runs.words import cells
from aipower.store.folder import Listing
from aipower.store.going import Going, Marker
from aipower.store.summary import read_summary
from store.records import CARBON, fifty, record, run_id, used

NOW_S = 1_795_100_000.0


def rows(*runs: RunRecord, going: Sequence[Going] = ()) -> list[Row]:
    summaries = [read_summary(to_json(run), run.run_id) for run in runs]
    return rows_of(Listing(summaries, list(going), []))


def plain(*runs: RunRecord, width: int | None = None, going: Sequence[Going] = ()) -> list[str]:
    return table(rows(*runs, going=going), NOW_S, width=width, colour=False).splitlines()


def test_the_whole_table() -> None:
    head, line = plain(used(0xABC, 800.0, name="base"))
    assert head.split() == [
        "ID",
        "STARTED",
        "NAME",
        "COMMAND",
        "TIME",
        "EXIT",
        "ENERGY",
        "95",
        "%",
        "INTERVAL",
        "MEAN",
    ]
    assert line.startswith("00000abc  2026-11-18 ")
    assert line.endswith("base  python train.py  10.00 s     0  800.0 J  [760.0 .. 840.0 J]  80.0 W")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 120, 160, 200])
def test_no_line_is_wider_than_the_window(width: int) -> None:
    lines = plain(*fifty(NOW_S), width=width)
    assert len(lines) == 51
    assert max(map(cells, lines)) <= width


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (200, "ID STARTED HOST NAME COMMAND TIME EXIT ENERGY 95 % INTERVAL MEAN CO2e"),
        (80, "ID STARTED RUN TIME EXIT ENERGY 95 %"),
        (40, "ID RUN EXIT ENERGY"),
        (20, "ID ENERGY"),
    ],
)
def test_a_narrow_window_keeps_what_matters(width: int, titles: str) -> None:
    assert " ".join(plain(*fifty(NOW_S), width=width)[0].split()) == titles


def test_columns_that_say_nothing_are_left_out() -> None:
    assert "NAME" not in plain(used(1, 8.0))[0]
    assert "HOST" not in plain(used(1, 8.0), used(2, 8.0))[0]
    assert "HOST" in plain(used(1, 8.0), used(2, 8.0, host="b"))[0]
    assert "CO2e" not in plain(used(1, 8.0))[0]
    assert plain(used(1, 8.0, carbon=CARBON))[1].endswith("110 mg")


def test_an_estimate_is_marked_and_nothing_is_no_zero() -> None:
    nothing = record(1, energy_j=Energies(), interval_j=Intervals())
    estimated = record(2, energy_j=Energies(), interval_j=Intervals(), estimated_j=Energies(9.0))
    partial, simulated = record(3, complete=False), record(4, simulated=True)
    found = rows(nothing, estimated, partial, simulated, record(5))
    energies = [line.split()[-1] for line in table(found, NOW_S, width=24, colour=False).splitlines()[1:]]
    assert energies == ["-", "J", "J", "J", "J"]
    text = table(found, NOW_S, width=24, colour=False)
    assert [mark in text for mark in (" ~9.00 J", " !800.0 J", " *800.0 J")] == [True] * 3
    assert [line[0] for line in legend(found)] == ["~", "!", "*"]
    assert list(legend(rows(record(5), nothing))) == []


def test_a_run_without_a_record_is_a_line_as_well() -> None:
    started_s = NOW_S - 65
    running = Marker(run_id(started_s, 7), 1, started_s, "now", ["sleep", "9"], "node", "b")
    killed = Marker(run_id(started_s, 8), 1, started_s, "dead", ["sleep", "9"], "node", "b")
    _, one, two = plain(going=[Going(running, "running"), Going(killed, "killed")])
    assert one.split()[-5:] == ["1m", "05s", "running", "-", "-"]
    assert two.split()[-4:] == ["-", "killed", "-", "-"]


def test_a_part_of_a_series_says_so() -> None:
    series = SeriesRecord("s-00000001", 2, 5)
    warm = SeriesRecord("s-00000001", 0, 5)
    merged = record(3, merged_from=["a", "b"])
    _, named, bare, parts, warm_up = plain(
        used(1, 8.0, name="base", series=series), used(2, 8.0, series=series), used(4, 8.0, series=warm), merged,
        width=80,
    )  # fmt: skip
    assert "base 2/5  " in named
    assert "2/5 python train.py" in bare
    assert "(2 parts) python train." in parts
    assert "warm-up python train." in warm_up


def test_colour_is_only_around_the_text() -> None:
    failed, fine = used(1, 8.0, exit_code=1), used(2, 8.0)
    lines = table(rows(failed, fine), NOW_S, width=80, colour=True).splitlines()
    assert "\x1b[31m1\x1b[0m" in lines[1]
    assert "\x1b[31m" not in lines[2]
    bare = table(rows(failed, fine), NOW_S, width=80, colour=False)
    stripped = "\n".join(lines)
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m"):
        stripped = stripped.replace(code, "")
    assert stripped + "\n" == bare


@settings(max_examples=50)
@given(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=4), st.integers(24, 160))
def test_no_name_breaks_a_line(name: str, command: list[str], width: int) -> None:
    lines = plain(used(1, 8.0, name=name, command=command), width=width)
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert cells(lines[1]) <= width
