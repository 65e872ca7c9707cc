"""`aipower export`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from aipower.runrecord import Energies, JobRecord, PerUnit, from_json, to_json
from aipower.runs.flat import as_csv
from runs.commands import Shell
from store.records import record, store_of, used, with_everything


def test_json_lines_are_whole_records(full: Shell, tmp_path: Path) -> None:
    done = full.call("export", "-o", str(tmp_path / "all.jsonl"))
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith(f"{tmp_path}/all.jsonl: 50 runs, ")
    lines = (tmp_path / "all.jsonl").read_bytes().splitlines()
    assert len(lines) == 50
    assert all(
        from_json(line) == from_json((full.folder / f"{json.loads(line)['run_id']}.json").read_bytes())
        for line in lines
    )


def test_fields_of_other_versions_are_kept(shell: Shell) -> None:
    shell.folder.mkdir()
    content = json.loads(to_json(record(1))) | {"added_later": [1, {"x": None}]}
    (shell.folder / f"{record(1).run_id}.json").write_text(json.dumps(content))
    (line,) = shell.program("export").stdout.splitlines()
    assert json.loads(line) == content


def test_runs_that_are_named_and_filters(shell: Shell) -> None:
    store_of(shell.folder, [used(1, 9.0, name="a"), used(2, 5.0, name="a"), used(3, 7.0, name="b")])
    numbers = [json.loads(line)["run_id"][-1] for line in shell.program("export", "last", "a").stdout.splitlines()]
    assert numbers == ["3", "2"]
    numbers = [json.loads(line)["run_id"][-1] for line in shell.program("export", "--name", "a").stdout.splitlines()]
    assert numbers == ["1", "2"]
    assert "not both" in shell.call("export", "last", "--name", "a").err


def test_csv_has_a_row_for_each_run(full: Shell, tmp_path: Path) -> None:
    assert full.call("export", "-o", str(tmp_path / "all.csv")).code == 0
    found = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text(), newline="")))
    assert len(found) == 50
    with_energy = [row for row in found if row["energy_j"]]
    assert 0 < len(with_energy) < 50  # what was not measured is an empty cell
    row = with_energy[0]
    assert float(row["energy_low_j"]) <= float(row["energy_j"]) <= float(row["energy_high_j"])
    assert float(row["mean_w"]) == pytest.approx(float(row["energy_j"]) / float(row["wall_s"]))


def test_columns_of_one_run_are_empty_for_the_others() -> None:
    first = with_everything()
    second = record(
        2, name="=1+1", command=["a", "b c"], energy_j=Energies(), metrics={"loss": -0.5}, work={"steps": 4.0},
        per=[PerUnit("steps", 4.0, 200.0, (1.0, 2.0), (1.0, 2.0))], job=JobRecord("slurm", "77", "n1", rank=3),
    )  # fmt: skip
    one, two = csv.DictReader(io.StringIO(b"".join(as_csv([first, second])).decode(), newline=""))
    assert (one["metric.accuracy"], one["metric.loss"], two["metric.loss"]) == ("0.91", "", "-0.5")
    assert (two["name"], two["command"]) == ("'=1+1", "a 'b c'")
    assert (two["energy_j"], two["mean_w"], two["complete"]) == ("", "", "1")
    assert (two["j_per.steps"], two["work.steps"], two["job_rank"], two["job_id"]) == ("200.0", "4.0", "3", "77")
    assert (one["series_index"], one["co2e_g"], one["currency"]) == ("2", "0.11", "EUR")
    assert one["started"] == "2026-11-18T11:06:40.000+00:00"


def test_no_run_is_an_empty_file(shell: Shell, tmp_path: Path) -> None:
    done = shell.call("export", "-o", str(tmp_path / "x"))
    assert (done.code, (tmp_path / "x").read_bytes()) == (0, b"")


def test_a_disk_that_takes_no_more_leaves_the_old_file(full: Shell, tmp_path: Path) -> None:
    done = full.call("export", "-o", "/dev/full")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "/dev/full cannot be written: No space left on device" in done.err
    assert full.call("export", "-o", str(tmp_path)).err == f"aipower: {tmp_path} is a folder; name a file\n"


def test_a_named_run_that_cannot_be_read_is_an_error(shell: Shell, tmp_path: Path) -> None:
    store_of(shell.folder, [record(1)])
    (shell.folder / "broken.json").write_bytes(b"{")
    assert "no record of a run" in shell.call("export", str(shell.folder / "broken.json")).err
    done = shell.call("export", "-o", str(tmp_path / "x"))
    assert (done.code, "left out: " in done.err) == (0, True)
