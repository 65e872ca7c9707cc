"""`aipower runs`, as a person and as a script call it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from aipower.store.writing import begin
from runs.commands import SGR, Shell, on_terminal
from store.records import record, store_of, used

KILLED = b'{"run_id":"20991128T133214Z-dddd0001","name":"lost","pid":4194305,"started_unix_s":4e9,"command":["a"]}'


def test_the_last_twenty_are_shown_and_the_rest_told(full: Shell) -> None:
    done = full.call("runs")
    assert (done.code, done.out.count("\n")) == (0, 21)
    assert done.err.startswith("... and 30 more above: -n 50 or --all\n")
    assert "~ estimated by a model" in done.err
    ids = [line[:8] for line in full.call("runs", "-n", "3").out.splitlines()[1:]]
    assert ids == [line[:8] for line in done.out.splitlines()[-3:]]
    assert full.call("runs", "--all").out.count("\n") == 51


def test_a_pipe_gets_plain_lines_that_are_not_cut(full: Shell) -> None:
    done = full.program("runs", "--all")
    text = done.stdout.decode()
    assert "\x1b" not in text
    assert "…" not in text
    assert "/scratch/someone/runs/2026/resnet50-baseline" in text


def test_an_encoding_without_the_signs_will_do(full: Shell) -> None:
    done = full.program("runs", "--all", PYTHONIOENCODING="ascii", COLUMNS="80")
    assert done.returncode == 0
    assert rb"\xb1" in done.stdout
    names = {
        run["name"] for run in json.loads(full.program("runs", "--json", PYTHONIOENCODING="ascii").stdout)["runs"]
    }
    assert "基线 实验" in names


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_terminal_gets_colours_and_lines_that_fit(full: Shell, columns: int) -> None:
    code, told = on_terminal(full.folder, columns, "runs")
    lines = SGR.sub("", told).splitlines()
    assert code == 0
    assert "\x1b[1m" in told
    assert max(map(len, lines)) <= columns
    assert len(lines) >= 22


@pytest.mark.parametrize("variable", ["NO_COLOR=1", "TERM=dumb"])
def test_who_wants_no_colour_gets_none(full: Shell, variable: str) -> None:
    code, told = on_terminal(full.folder, 80, "runs", variable=variable)
    assert (code, "\x1b" in told) == (0, False)


def test_filters_sort_and_limit(shell: Shell) -> None:
    store_of(shell.folder, [used(1, 9.0, name="a"), used(2, 5.0, name="a", exit_code=1), used(3, 7.0, name="b")])
    ids = [line[:8] for line in shell.call("runs", "--sort", "energy").out.splitlines()[1:]]
    assert ids == ["00000002", "00000003", "00000001"]
    assert shell.call("runs", "--name", "a", "--failed").out.splitlines()[1][:8] == "00000002"
    assert shell.call("runs", "--name", "zzz").err == "none of 3 runs fits these options\n"
    assert shell.call("runs", "--since", "2099-01-01").out == ""


def test_no_run_is_told(shell: Shell) -> None:
    done = shell.call("runs")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"no run is kept in {shell.folder} yet; aipower-run keeps those that it measures\n"
    assert json.loads(shell.call("runs", "--json").out)["runs"] == []


def test_json_has_all_runs_and_what_was_left_out(full: Shell) -> None:
    begin(str(full.folder), "20991128T133214Z-dddd0001", KILLED)
    (full.folder / "x.json").write_bytes(b"{")
    document = json.loads(full.call("runs", "--json").out)
    assert (document["schema"], len(document["runs"])) == ("aipower.runs/1", 51)
    assert document["runs"][-1] == {
        "state": "killed", "run_id": "20991128T133214Z-dddd0001", "name": "lost", "command": ["a"],
        "started_unix_s": 4e9, "host": "",
    }  # fmt: skip
    assert document["runs"][0]["state"] == "ended"
    assert {"run_id", "energy_j", "interval_j", "mean_w", "carbon"} <= set(document["runs"][0])
    assert document["left_out"][0]["path"] == str(full.folder / "x.json")
    assert len(json.loads(full.call("runs", "--json", "-n", "2").out)["runs"]) == 2


def test_files_that_are_no_records_are_told_in_a_few_lines(shell: Shell) -> None:
    store_of(shell.folder, [record(1)])
    for number in range(5):
        (shell.folder / f"x{number}.json").write_bytes(b"{")
    done = shell.call("runs")
    assert done.out.count("\n") == 2
    assert done.err.count("left out: ") == 4
    assert "left out: 2 more files, see `aipower runs --json`" in done.err


def test_looking_cleans_up(shell: Shell) -> None:
    store_of(shell.folder, [record(1)])
    begin(str(shell.folder), record(1).run_id, b"{}")
    shell.call("runs")
    assert [path.name for path in shell.folder.iterdir()] == [f"{record(1).run_id}.json"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-n", "0"), "'0' is no number of runs"),
        (("--since", "soon"), "'soon' is no time"),
        (("--sort", "energie"), "(choose from"),
        (("-n", "3", "--all"), "not allowed with"),
    ],
)
def test_a_mistake_is_one_line(full: Shell, words: tuple[str, ...], told: str) -> None:
    done = full.call("runs", *words)
    assert done.code == 2
    assert told in done.err
    assert done.err.count("\n") == 1


def test_a_folder_that_is_a_file_is_one_line(shell: Shell) -> None:
    shell.folder.write_text("")
    done = shell.call("runs")
    assert (done.code, done.out) == (1, "")
    assert "cannot be listed: Not a directory" in done.err


def test_no_home_is_one_line(shell: Shell) -> None:
    done = shell.program("runs", AIPOWER_RUNS_DIR="", HOME="nowhere", XDG_DATA_HOME="")
    assert done.returncode == 1
    assert done.stderr == b"aipower: there is no home folder to keep runs in; name a folder by AIPOWER_RUNS_DIR\n"


def test_a_full_disk_is_one_line(full: Shell) -> None:
    with Path("/dev/full").open("wb") as disk:
        done = full.program("runs", stdout=disk)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == b"aipower: standard output cannot be written: No space left on device"


def test_a_reader_that_leaves_is_no_error(full: Shell) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "wb") as gone:
        done = full.program("runs", "--json", stdout=gone)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_folder_whose_name_is_no_text_will_do(shell: Shell) -> None:
    odd = os.fsdecode(os.fsencode(shell.folder) + b"\xff")
    store_of(Path(odd), [record(1)])
    done = shell.program("runs", "--json", AIPOWER_RUNS_DIR=odd)
    assert json.loads(done.stdout)["folder"] == f"{shell.folder}\N{REPLACEMENT CHARACTER}"
    assert shell.program("report", "/\udcff", AIPOWER_RUNS_DIR=odd).stderr.count(b"\n") == 1
