"""`aipower report`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aipower.record.report import render
from aipower.runrecord import from_json
from aipower_exporters.csv import render_csv
from runs.commands import SGR, Shell, on_terminal
from store.records import record, store_of, with_everything


@pytest.fixture
def kept(shell: Shell) -> Shell:
    store_of(shell.folder, [record(1, name="one"), record(2, name="two", exit_code=3)])
    return shell


def test_the_last_run_is_shown_as_it_was(kept: Shell) -> None:
    done = kept.call("report")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == render(record(2, name="two", exit_code=3)).splitlines()[0]
    assert kept.call("report", "last").out == done.out
    assert "[one]" in kept.call("report", "last~1").out
    assert "[one]" in kept.call("report", "one").out
    assert "[one]" in kept.call("report", "00000001").out


def test_verbose_tells_more(kept: Shell) -> None:
    assert len(kept.call("report", "-v").out) > len(kept.call("report").out)


def test_json_is_the_record(kept: Shell) -> None:
    done = kept.call("report", "one", "--json")
    assert from_json(done.out.encode()) == record(1, name="one")


def test_files(kept: Shell, tmp_path: Path) -> None:
    targets = {kind: tmp_path / f"out.{kind}" for kind in ("json", "csv", "html")}
    done = kept.call("report", "one", *(word for kind, path in targets.items() for word in (f"--{kind}", str(path))))
    assert (done.code, done.out) == (0, "")
    assert done.err.count("\n") == 3
    assert f"run {record(1).run_id}" in done.err
    assert from_json(targets["json"].read_bytes()) == record(1, name="one")
    assert targets["csv"].read_bytes() == render_csv(record(1, name="one"))
    assert targets["html"].read_bytes().lstrip()[:15].lower() == b"<!doctype html>"


def test_csv_goes_to_standard_output_by_itself(kept: Shell) -> None:
    done = kept.program("report", "one", "--csv")
    assert done.stdout == render_csv(record(1, name="one"))


def test_a_file_of_another_run_is_replaced(kept: Shell, tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    target.write_text("x" * 100_000)
    target.chmod(0o640)
    kept.call("report", "--json", str(target))
    assert json.loads(target.read_text())["name"] == "two"
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_one(kept: Shell, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    kept.call("report", "--json", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "target").read_text())["name"] == "two"


def test_a_device_is_written_to(kept: Shell) -> None:
    assert kept.call("report", "--csv", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("zzzz",), 2, "no run 'zzzz' is kept"),
        (("last~9",), 2, "only 2 runs are kept"),
        (("--csv", "/"), 1, "/ is a folder; name a file"),
        (("--html", "/nowhere/x.html"), 1, "/nowhere/x.html cannot be written: No such file or directory"),
        (("--json", "--csv"), 2, "two results cannot go to the same place"),
        (("./no.json",), 1, "no.json: No such file or directory"),
        (("--html",), 2, "expected one argument"),
        (("--csv", "/dev/full"), 1, "/dev/full cannot be written: No space left on device"),
    ],
)
def test_a_mistake_is_one_line(kept: Shell, words: tuple[str, ...], code: int, told: str) -> None:
    done = kept.call("report", *words)
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert done.err.count("\n") == 1


def test_a_file_that_cannot_be_written_leaves_nothing_behind(kept: Shell, tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    kept.call("report", "--json", str(tmp_path / "x.json"))
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "x.json"}


def test_who_has_told_a_price_since_sees_the_cost(kept: Shell, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[footprint]\nprice_per_kwh = 0.5\ncurrency = "EUR"\n')
    told = kept.program("report", AIPOWER_USER_CONFIG=str(config)).stdout.decode()
    assert "0.5 EUR/kWh" in told
    assert b"EUR" in kept.program("report", "--csv", AIPOWER_USER_CONFIG=str(config)).stdout
    assert b"EUR" not in kept.program("report", "--json", AIPOWER_USER_CONFIG=str(config)).stdout
    config.write_text("[footprint]\nprice_per_kwh = 'much'\n")
    done = kept.program("report", AIPOWER_USER_CONFIG=str(config))
    assert done.returncode == 0
    assert done.stderr.startswith(b"aipower report: no cost and no carbon: ")


@pytest.mark.parametrize("columns", [80, 200])
def test_it_fits_the_terminal(kept: Shell, columns: int) -> None:
    code, told = on_terminal(kept.folder, columns, "report")
    assert code == 0
    assert max(map(len, SGR.sub("", told).splitlines())) <= columns
    assert "\x1b" in told
    assert "aipower report 00000002 --html report.html" in " ".join(SGR.sub("", told).split())


def test_a_record_that_was_saved_elsewhere(kept: Shell, tmp_path: Path) -> None:
    file = tmp_path / "saved"
    kept.call("report", "one", "--json", str(file))
    told = kept.call("report", str(file)).out
    assert "[one]" in told
    assert "aipower report 00000001" not in told  # no such run may be kept


def test_a_record_with_everything_can_be_shown(shell: Shell) -> None:
    store_of(shell.folder, [with_everything()])
    assert "[everything]" in shell.call("report").out
