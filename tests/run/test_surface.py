"""What surrounds a measurement: odd names, odd output files, drivers that are slow, and machines without room."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aipower.errors import UsageError
from aipower.run.options import parse
from aipower.run.output import Output
from fake_driver.build import library
from fake_driver.presets import h100
from fake_driver.script import FaultRule, Machine
from run.aipower_run import CODE, argv, call, environment
from run.helpers import appears, eventually

LIMIT_S = 60.0


def run(
    folder: Path,
    words: list[str],
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(words, cwd=folder, env=environment(env), capture_output=True, timeout=LIMIT_S, check=False)


@pytest.mark.parametrize(
    "env",
    [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=["utf-8", "ascii"],
)
@pytest.mark.parametrize(
    ("name", "shown"), [(b"\xff\xfe", "\ufffd\ufffd"), ("é中".encode(), "é中")], ids=["bytes", "letters"]
)
def test_any_name_is_recorded(name: bytes, shown: str, env: dict[str, str], tmp_path: Path) -> None:
    done = run(tmp_path, argv("--name", os.fsdecode(name), "--json", "n.json", "sh", "-c", "exit 4"), env)
    assert done.returncode == 4
    assert b"Traceback" not in done.stderr
    assert json.loads((tmp_path / "n.json").read_bytes())["name"] == shown


def test_a_bug_in_the_report_is_one_line_and_the_code_is_the_commands(tmp_path: Path) -> None:
    broken = f"import aipower.record.compose as broken; broken.compose = lambda *_: 1/0; {CODE}"
    done = run(tmp_path, [sys.executable, "-c", broken, "sh", "-c", "exit 6"])
    assert done.returncode == 6
    assert done.stderr == b"aipower-run: no report: division by zero\n"


def test_a_pipe_without_a_reader_is_misuse_before_the_command(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = run(tmp_path, argv("--json", "pipe", "touch", "ran"))
    assert done.returncode == 2
    assert done.stderr == b"aipower-run: --json pipe: nobody reads from it; start its reader first, or name a file\n"
    assert not (tmp_path / "ran").exists()
    assert (tmp_path / "pipe").is_fifo()


def test_a_pipe_with_a_reader_gets_the_record(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        # The reader may not have opened the pipe yet: until then it is misuse.
        eventually(lambda: run(tmp_path, argv("-q", "--json", "pipe", "true")).returncode == 0, "a reader")
        out, _ = reader.communicate(timeout=LIMIT_S)
    assert json.loads(out)["exit_code"] == 0


def test_an_opened_pipe_waits_for_its_reader_again(tmp_path: Path) -> None:
    """A record larger than the pipe's buffer must not fail because the reader is slow."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with Output(pipe) as output:
        assert output._descriptor is not None
        assert os.get_blocking(output._descriptor)
    os.close(reader)


def test_a_path_that_is_too_long_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="File name too long"):
        Output(tmp_path / ("x" * 300))


def test_a_record_that_the_job_deleted_is_written_anew(tmp_path: Path) -> None:
    done = call(tmp_path, "rm", "run.json")
    assert done.code == 0
    assert done.record["command"] == ["rm", "run.json"]


def test_a_record_whose_folder_the_job_deleted_is_complained_of(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    done = call(tmp_path, "--json", "sub/run.json", "rm", "-r", "sub", json_file=None)
    assert done.code == 0
    assert "sub/run.json: the record could not be written: No such file or directory\n" in done.report


def slow(folder: Path, *, delay_s: float) -> dict[str, str]:
    """The environment of a driver that takes `delay_s` to begin."""
    rules = (FaultRule("nvmlInit*", 0.0, 1000.0, delay_s=delay_s),)
    machine = Machine((h100(0),), faults=rules)
    return dict(machine.environment(library("full"), machine.write(folder / "machine.txt")))


def test_ctrl_c_ends_the_wait_for_a_driver_at_once(tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    with errors.open("wb") as stderr:
        wrapper = subprocess.Popen(
            argv("touch", "ran"), cwd=tmp_path, env=environment(slow(tmp_path, delay_s=600.0)), stderr=stderr
        )
    eventually(lambda: b"waiting for the GPU driver" in errors.read_bytes(), "the notice")
    began_s = time.monotonic()
    wrapper.send_signal(signal.SIGINT)
    assert wrapper.wait(LIMIT_S) == 130
    assert time.monotonic() - began_s < 5.0
    assert not (tmp_path / "ran").exists()
    assert errors.read_bytes().count(b"\n") == 1


def test_a_driver_that_never_answers_is_named_and_costs_ten_seconds(tmp_path: Path) -> None:
    done = call(tmp_path, "-q", "sh", "-c", "exit 3", env=slow(tmp_path, delay_s=600.0))
    assert (done.code, done.report) == (3, "")
    assert "the driver did not answer within 10 s" in done.record["not_measured"][0]["reason"]
    assert done.record["complete"] is False


def test_without_a_thread_the_command_runs_and_the_record_says_so(tmp_path: Path) -> None:
    code = f"import threading; threading.stack_size(2**46); {CODE}"
    done = run(tmp_path, [sys.executable, "-c", code, "--json", "run.json", "sh", "-c", "exit 5"])
    assert done.returncode == 5
    assert b"Traceback" not in done.stderr
    assert done.stderr.count(b"can't start new thread") == 1
    assert json.loads((tmp_path / "run.json").read_bytes())["complete"] is False


@pytest.mark.parametrize("descriptors", [4, 5, 6, 7, 8, 10, 16])
@pytest.mark.parametrize("words", [[], ["--json", "run.json"]], ids=["bare", "json"])
def test_with_few_descriptors_the_command_still_runs(descriptors: int, words: list[str], tmp_path: Path) -> None:
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors}, {descriptors})); "
    done = run(tmp_path, [sys.executable, "-c", limit + CODE, *words, "sh", "-c", "exit 9"])
    assert b"Traceback" not in done.stderr
    assert done.returncode == 9
    assert done.stderr


def test_the_parser_takes_bytes_as_they_are() -> None:
    assert parse(["--name", "\udcff", "true"]).name == "\udcff"


def test_the_record_stays_where_the_job_only_reads_it(tmp_path: Path) -> None:
    done = call(tmp_path, "sh", "-c", "cp run.json seen; test ! -s seen && touch empty")
    appears(tmp_path / "empty")
    assert done.record["exit_code"] == 0
