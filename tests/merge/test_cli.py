"""The command `aipower merge` as a user types it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from aipower.cli import main
from aipower.merge.merge import merge
from aipower.runrecord import RunRecord, from_json, to_json
from aipower.store.folder import RunStore
from merge.records import Rank, World

RANKS = (Rank(0, "n1"), Rank(1, "n1", leader=False), Rank(2, "n2"))
RECORDS = World(RANKS).records()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    monkeypatch.setenv("AIPOWER_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("AIPOWER_USER_CONFIG", "none")
    return RunStore(tmp_path / "runs")


@pytest.fixture
def folder(tmp_path: Path, store: RunStore) -> Path:
    """A shared folder into which each rank has written its record; nothing is in the store."""
    assert not store.ids()
    return write(tmp_path / "shared", RECORDS)


def write(folder: Path, records: Sequence[RunRecord]) -> Path:
    folder.mkdir(exist_ok=True)
    for record in records:
        (folder / f"rank{record.run_id}.json").write_bytes(to_json(record))
    return folder


def test_a_folder_becomes_one_run_that_is_shown_and_kept(
    folder: Path, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["merge", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert "GPU n1:0" in out
    assert "30.00 kJ" in out
    assert not err
    (run_id,) = store.ids()
    kept = store.load(run_id)
    assert kept.energy_j == merge(RECORDS).energy_j
    assert kept.merged_from == sorted(record.run_id for record in RECORDS)
    assert main(["merge", str(folder)]) == 0
    assert store.ids() == [run_id], "the same parts are the same run"


def test_files_and_output(folder: Path, store: RunStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = sorted(str(path) for path in folder.iterdir())
    assert main(["merge", "--json", "--no-save", "-o", str(tmp_path / "job.json"), *paths]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["schema"] == "aipower.run/1"
    assert (tmp_path / "job.json").read_text() == printed
    assert from_json(printed.encode()).nodes == merge(RECORDS).nodes
    assert not store.ids()


def test_a_job_of_the_store(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert RECORDS[0].job is not None
    foreign = replace(RECORDS[0], run_id="20261118T100640Z-0000beef", job=replace(RECORDS[0].job, id="12"))
    for record in (*RECORDS, foreign):
        store.put(record)
    assert main(["merge", "--job", "4711", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["energy_j"]["total"] == 30_000.0
    assert main(["merge", "--job", "4711.0", "--json", "--no-save"]) == 0
    assert json.loads(capsys.readouterr().out)["energy_j"]["total"] == 30_000.0
    assert main(["merge", "--job", "4711"]) == 0, "what was merged before does not count again"
    assert len(store.ids()) == 5


def test_a_job_that_is_known_by_its_meeting_point(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    for record in RECORDS:
        assert record.job is not None
        store.put(replace(record, job=replace(record.job, system="torchrun", id="10.0.0.1:29500", step="")))
    assert main(["merge", "--job", "10.0.0.1:29500", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["job"]["id"] == "10.0.0.1:29500"


def test_runs_by_name(store: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    for record in RECORDS:
        store.put(record)
    assert main(["merge", "job", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "job"


def test_html(folder: Path, tmp_path: Path) -> None:
    assert main(["merge", str(folder), "--html", str(tmp_path / "job.html")]) == 0
    assert (tmp_path / "job.html").read_text().lstrip().lower().startswith("<!doctype html")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "name runs, files or a folder"),
        (["--job", "99"], 2, "--job 99: none of the records"),
        (["{folder}", "--job", "99"], 2, "--job 99: none of the records"),
        (["nosuch"], 2, "no run is kept"),
        (["{folder}/nosuch.json"], 1, "No such file"),
        (["{empty}"], 1, "no record of a run in it"),
        (["{folder}", "-o", "/proc/nowhere/x"], 1, "/proc/nowhere/x"),
        (["{folder}", "{other}"], 1, "2 jobs (4711, 5): choose one by --job ID"),
        (["{folder}", "{broken}"], 0, "left out"),
    ],
)
def test_mistakes_take_one_line(
    words: list[str], code: int, told: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert RECORDS[0].job is not None
    places = {
        "folder": folder,
        "empty": write(tmp_path / "empty", []),
        "other": write(tmp_path / "other", [replace(RECORDS[0], run_id="x", job=replace(RECORDS[0].job, id="5"))]),
        "broken": write(tmp_path / "broken", RECORDS[:1]),
    }
    (tmp_path / "broken" / "half.json").write_text('{"schema": "aipower.run/1", ')
    assert main(["merge", *(word.format(**places) for word in words)]) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert told in lines[0]


def test_force_merges_what_is_not_one_job(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write(tmp_path / "other", [replace(RECORDS[0], run_id="x", job=None)])
    assert main(["merge", "--force", "--json", str(folder), str(other)]) == 0
    assert json.loads(capsys.readouterr().out)["job"] is None
