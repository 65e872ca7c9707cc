"""Which runs are listed, in which order."""

from __future__ import annotations

import argparse
from datetime import datetime

import pytest

from aipower.runrecord import SeriesRecord, to_json
from aipower.runs.options import count_of, moment_ago
from aipower.runs.rows import Filters, Row, chosen, rows_of
from aipower.store.folder import Listing
from aipower.store.going import Going, Marker
from aipower.store.summary import read_summary
from store.records import record, used

RUNS = [
    used(1, 900.0, name="base", wall_s=5.0, started_unix_s=1000.0),
    used(2, 100.0, name="base2", exit_code=3, host="other", started_unix_s=2000.0),
    used(3, 500.0, name="[odd]", wall_s=99.0, started_unix_s=3000.0, command=["bash", "-c", "sleep 1"]),
    used(4, 5.0, started_unix_s=4000.0, series=SeriesRecord("19700101T010640Z-feed0001", 1, 2)),
]
GOING = [
    Going(Marker("19700101T011000Z-00000005", 1, 4200.0, "now", ["make"], "node"), "running"),
    Going(Marker("19700101T011100Z-00000006", 1, 4260.0, "dead", ["make"], "node"), "killed"),
]


def rows() -> list[Row]:
    runs = [RUNS[1], RUNS[0], *RUNS[2:]]
    return rows_of(Listing([read_summary(to_json(run), run.run_id) for run in runs], GOING, []))


def numbers(filters: Filters, sort: str = "time") -> list[int]:
    return [int(row.run_id[-1]) for row in chosen(rows(), filters, sort)]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), [1, 2, 3, 4, 5, 6]),
        (Filters(name="base"), [1]),
        (Filters(name="base*"), [1, 2]),
        (Filters(name="[odd]"), [3]),
        (Filters(command="sleep"), [3]),
        (Filters(command="train", host="node"), [1, 4]),
        (Filters(failed=True), [2, 6]),
        (Filters(series="feed"), [4]),
        (Filters(series="19700101T010640Z-feed0001"), [4]),
        (Filters(since_unix_s=3000.0), [3, 4, 5, 6]),
        (Filters(before_unix_s=3000.0), [1, 2]),
        (Filters(since_unix_s=2000.0, before_unix_s=3000.0), [2]),
    ],
)
def test_filters(filters: Filters, found: list[int]) -> None:
    assert numbers(filters) == found


@pytest.mark.parametrize(
    ("sort", "found"), [("time", [1, 2, 3, 4, 5, 6]), ("energy", [5, 6, 4, 2, 3, 1]), ("duration", [5, 6, 1, 2, 4, 3])]
)
def test_the_largest_is_last(sort: str, found: list[int]) -> None:
    assert numbers(Filters(), sort) == found


NOW_S = datetime(2026, 11, 28, 13, 30).astimezone().timestamp()


def local(*parts: int) -> float:
    return datetime(*parts).astimezone().timestamp()  # type: ignore[arg-type]  # year, month, day, hour


@pytest.mark.parametrize(
    ("text", "unix_s"),
    [
        ("2d", NOW_S - 2 * 86_400),
        ("90 min", NOW_S - 5400),
        ("1.5h", NOW_S - 5400),
        ("30s", NOW_S - 30),
        ("2w", NOW_S - 14 * 86_400),
        ("2026-11-01", local(2026, 11, 1)),
        ("2026-11-01 12:00", local(2026, 11, 1, 12)),
        ("today", local(2026, 11, 28)),
        ("yesterday", local(2026, 11, 27)),
    ],
)
def test_moments(text: str, unix_s: float) -> None:
    assert moment_ago(text, NOW_S) == unix_s


@pytest.mark.parametrize("text", ["", "2", "2x", "soon", "2026-13-01", "-2d", "99999-01-01"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="2d, 3h"):
        moment_ago(text, NOW_S)


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", ""])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no number of runs"):
        count_of(text)


def test_one_record_is_one_row() -> None:
    assert not rows()[0].failed
    assert record(1).exit_code == 0
