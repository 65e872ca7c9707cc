"""From the command line of `aipower-run -r` to a series, and a whole one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from aipower.errors import UsageError
from aipower.run.options import parse
from aipower.run.repeat.options import SeriesOptions
from aipower.run.repeat.wanted import series_options
from run.aipower_run import call


def wanted(*words: str) -> SeriesOptions:
    return series_options(parse(list(words)))


def test_defaults() -> None:
    assert wanted("-r", "5", "true") == SeriesOptions(("true",), 5)


def test_all_options_of_a_series() -> None:
    words = "-r 5 --warmup 2 --cool-down 1.5 --name base --json s.json -q -v --ignore-failure --prepare"
    assert wanted(*words.split(), "make clean", "--", "sh", "-c", "exit 1") == SeriesOptions(
        command=("sh", "-c", "exit 1"),
        repetitions=5,
        warmup=2,
        prepare="make clean",
        cool_down=1.5,
        name="base",
        json="s.json",
        quiet=True,
        verbose=True,
        keep_going=True,
    )


def test_options_of_the_single_run_go_on_to_each() -> None:
    words = "-r 5 --sensors fake:2 --interval 0.5 --no-agent --metric a=1 --metric b=2 --per tokens=3 --no-save"
    passed = wanted(*words.split(), "true").passed
    again = parse([*passed, "true"])
    assert (again.sensors, again.interval_s, again.agent, again.save) == ("fake:2", 0.5, False, False)
    assert (again.metrics, again.work) == (["a=1", "b=2"], ["tokens=3"])
    assert again.repeat == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("-r 5 --live true", "--live does not go with -r"),
        ("-r 5 --html page.html true", "--html does not go with -r"),
        ("-r 5 --cool-down 5s true", "--cool-down 5s: must be auto, off, or from 0 to 3600 seconds"),
        ("-r 5 --warmup -1 true", "--warmup -1: must be from 0 to 10000"),
        ("-r 0 true", "-r 0: must be from 1 to 10000"),
        ("--warmup 3 true", "give -r N too"),
    ],
)
def test_mistakes_are_told_in_one_line(words: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        wanted(*words.split())
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_whole_series_is_kept_but_for_its_warm_ups(tmp_path: Path) -> None:
    words = ["-r", "2", "--warmup", "1", "--sensors", "fake", "--metric", "accuracy=0.9", "--per", "tokens=10"]
    done = call(tmp_path, *words, "sleep", "1", env={"AIPOWER_RUNS_DIR": str(tmp_path / "runs")})
    assert done.code == 0, done.report
    kept: list[dict[str, Any]] = [json.loads(path.read_bytes()) for path in sorted((tmp_path / "runs").glob("*.json"))]
    assert [one["series"] for one in kept] == [{"id": done.record["id"], "index": n, "count": 2} for n in (1, 2)]
    assert [one["run_id"] for one in kept] == [one["run_id"] for one in done.record["records"]]
    assert done.record["schema"] == "aipower.series/1"
    assert done.record["metrics"]["accuracy"]["mean"] == pytest.approx(0.9)
    assert list(done.record["per"]) == ["tokens"]
    assert f"aipower runs --series {done.record['id']}" in done.report


def test_series_is_not_kept_where_that_was_asked_for(tmp_path: Path) -> None:
    words = ["-r", "2", "--no-save", "--sensors", "fake"]
    done = call(tmp_path, *words, "true", env={"AIPOWER_RUNS_DIR": str(tmp_path / "runs")})
    assert done.code == 0, done.report
    assert not list(tmp_path.glob("runs/*.json"))
    assert "aipower runs" not in done.report


def test_command_does_not_see_that_it_is_repeated(tmp_path: Path) -> None:
    done = call(tmp_path, "-r", "1", "--no-save", "--sensors", "fake", "sh", "-c", 'echo "[$AIPOWER_SERIES]"')
    assert done.out == b"[]\n"


SURROUNDINGS = """
import json, os, signal
ours = {"AIPOWER_PHASES"}
print(json.dumps({
    "environment": {name: value for name, value in os.environ.items() if name not in ours},
    "descriptors": len(os.listdir("/proc/self/fd")),
    "blocked": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))),
    "default": [number for number in range(1, 65) if signal.getsignal(number) == signal.SIG_DFL],
    "folder": os.getcwd(),
    "mask": os.umask(0),
}))
"""


def test_surroundings_of_the_command_are_those_of_a_single_run(tmp_path: Path) -> None:
    options = ("--no-save", "--sensors", "fake")
    command = (sys.executable, "-c", SURROUNDINGS)
    plain = {"LC_ALL": "", "LANG": "C", "LC_CTYPE": ""}
    single = call(tmp_path, *options, *command, env=plain)
    first, second = call(tmp_path, "-r", "2", *options, *command, env=plain).out.splitlines()
    assert json.loads(first) == json.loads(second) == json.loads(single.out)
