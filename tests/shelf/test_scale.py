"""A store of years: what a listing costs does not grow with it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from aipower.runrecord import to_json
from aipower.shelf.files import Folder
from aipower.shelf.runshelf import LOOKS_A_RUN, MOST_RUNS, RunShelf
from store.records import STARTED_UNIX_S, record, run_id

COUNT = 10_000


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("years")
    content, name = to_json(record(0)), record(0).run_id.encode()
    for number in range(COUNT):
        one = run_id(STARTED_UNIX_S + number, number)
        (folder / f"{one}.json").write_bytes(content.replace(name, one.encode()))
    return folder


class Reads(Folder):
    """Counts the files that are opened."""

    names: list[str] = []  # noqa: RUF012

    def read(self, name: str) -> bytes | None:
        self.names.append(name)
        return super().read(name)


def test_ten_thousand_records(years: Path) -> None:
    Reads.names.clear()
    shelf = RunShelf(Reads(str(years), os.geteuid()), unix_s=lambda: time.time() + 60)
    runs = shelf.runs()
    newest = [run_id(STARTED_UNIX_S + number, number) for number in range(COUNT - 1, COUNT - 1 - MOST_RUNS, -1)]
    assert {run.run_id for run in runs} == set(newest)  # they all began at the same time
    assert len(Reads.names) == MOST_RUNS
    began_s = time.process_time()
    for _ in range(100):
        shelf.runs()
    # 13 us each were measured; a listing of 10,000 names takes a thousand times as long.
    assert time.process_time() - began_s < 1.0
    assert len(Reads.names) == MOST_RUNS


def test_very_much_rubbish_costs_a_bounded_number_of_looks(years: Path) -> None:
    Reads.names.clear()
    shelf = RunShelf(Reads(str(years), os.geteuid()))
    rubbish = [years / f"20990101T000000Z-{number:08x}.json" for number in range(MOST_RUNS * LOOKS_A_RUN + 50)]
    for path in rubbish:
        path.write_bytes(b"{")
    assert shelf.runs() == []
    assert len(Reads.names) == MOST_RUNS * LOOKS_A_RUN
    for path in rubbish:
        path.unlink()
    assert len(shelf.runs()) == MOST_RUNS
