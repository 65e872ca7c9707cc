"""What a run with an agent imports and does. How long that takes is measured by `python -m benchmarks.wrapping`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from run.aipower_run import CODE, argv, environment
from run.scripted_agent import RECORD, REPORT, scripted_agent

DEAR = {
    "typing",
    "signal",
    "enum",
    "contextlib",
    "functools",
    "collections",
    "threading",
    "ctypes",
    "dataclasses",
    "pathlib",
    "argparse",
    "msgspec",
    "logging",
    "inspect",
    "socket",
    "json",
    "re",
    "aipower.model",
}
MOST_OTHERS = 8
"""Modules of the standard library that such a run may import beside those of the interpreter's start."""
LIMIT_S = 60.0


def imported(code: str, *words: str, agent: str) -> set[str]:
    """The modules that an interpreter imports for `code`."""
    environ = environment({"AIPOWER_SOCKET": agent})
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *words],
        env=environ, capture_output=True, text=True, timeout=LIMIT_S, check=True,
    )  # fmt: skip
    return {line.rpartition("|")[2].strip() for line in told.stderr.splitlines() if line.startswith("import time:")}


def run(agent: str, folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    environ = environment({"AIPOWER_SOCKET": agent})
    return subprocess.run(argv(*words), env=environ, cwd=folder, capture_output=True, timeout=LIMIT_S, check=False)


def test_a_run_with_an_agent_imports_nothing_dear() -> None:
    with scripted_agent() as (agent, path):
        ours = imported(CODE, "-q", "true", agent=path) - imported("pass", agent="")
        assert len(agent.said("end")) == 1
    assert {"aipower.run.supervise", "aipower.run.link", "aipower.run.agent"} <= ours
    assert ours & DEAR == set()
    others = {name for name in ours if not name.startswith(("aipower", "encodings", "_"))}
    assert len(others) <= MOST_OTHERS, others


def test_the_agents_record_and_report_are_given_as_they_come(tmp_path: Path) -> None:
    with scripted_agent() as (agent, path):
        done = run(path, tmp_path, "--json", "r.json", "--name", "é\n", "sh", "-c", "exit 3")
        (opened,), (started,), (ended,) = agent.said("open"), agent.said("start"), agent.said("end")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", REPORT)
    assert (tmp_path / "r.json").read_bytes() == RECORD
    assert opened["name"] == "é\n"
    assert started["pid"] > 0
    assert len(started["ignore"]) == 1
    assert (ended["exit_code"], ended["command"], ended["report"]) == (3, ["sh", "-c", "exit 3"], True)
    assert ended["ended_s"] > started["started_s"]
    assert 0 < ended["cpu_s"] < LIMIT_S


def test_an_odd_name_does_not_keep_the_agent_away(tmp_path: Path) -> None:
    with scripted_agent() as (agent, path):
        done = run(path, tmp_path, "-q", "--name", os.fsdecode(b"\xff"), "true")
        assert [message["name"] for message in agent.said("open")] == ["\ufffd"]
    assert done.returncode == 0


@pytest.mark.parametrize("opened", [b'{"ok": false, "error": "no"}\n', b'{"ok": true}\n', b"x\n", b""], ids=repr)
def test_an_agent_that_does_not_open_the_run_is_done_without(opened: bytes, tmp_path: Path) -> None:
    with scripted_agent(opened=opened) as (agent, path):
        done = run(path, tmp_path, "-q", "--json", "r.json", "sh", "-c", "exit 4")
        assert agent.said("start") == []
    assert (done.returncode, done.stderr) == (4, b"")
    assert json.loads((tmp_path / "r.json").read_bytes())["exit_code"] == 4


@pytest.mark.parametrize("books", [b'{"ok": false, "error": "no"}\n', b'{"ok": true}\n', b"x\n"], ids=repr)
def test_an_agent_without_books_is_told_of_in_a_record_of_our_own(books: bytes, tmp_path: Path) -> None:
    with scripted_agent(books=books) as (_, path):
        done = run(path, tmp_path, "-q", "--json", "r.json", "sh", "-c", "exit 5")
    record = json.loads((tmp_path / "r.json").read_bytes())
    assert (done.returncode, done.stderr, record["exit_code"]) == (5, b"", 5)
    assert "nothing was measured" in record["not_measured"][0]["reason"]
    assert record["complete"] is False


@pytest.mark.parametrize("with_agent", [True, False])
def test_garbage_is_collected_again_once_the_command_runs(tmp_path: Path, *, with_agent: bool) -> None:
    """What the start does without, a run of days needs."""
    look = "import gc, sys, aipower.run.cli as cli"
    tell = "cli._at_the_end = lambda *_: lambda: print(gc.isenabled(), gc.get_freeze_count() > 0, file=sys.stderr)"
    code = [sys.executable, "-c", f"{look}; {tell}; {CODE}", "-q", "true"]
    with scripted_agent() as (_, path):
        environ = environment({"AIPOWER_SOCKET": path} if with_agent else None)
        done = subprocess.run(code, env=environ, cwd=tmp_path, capture_output=True, timeout=LIMIT_S, check=False)
    assert done.stderr.startswith(b"True True\n")
