"""What the agent tells of jobs over its real socket, and to whom."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aipower.daemon.runs.jobs import jobs_told
from aipower.daemon.runs.protocol import Jobs
from daemon.runs.rigs import Caller, Rig, as_user, eventually, rig
from jobs.snapshots import snapshot

STRANGER = 61001
BUSY = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass\n"


@pytest.fixture(scope="module")
def agent() -> Iterator[Rig]:
    """Where every user may come: pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with rig(Path(folder) / "run" / "agent.sock") as made:
            yield made


@pytest.fixture(scope="module")
def work() -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as child:
        yield
        child.terminate()


def test_root_is_told_of_all_and_others_of_their_own() -> None:
    whole = jobs_told(snapshot(), Jobs(), None)
    assert [(job.system, job.user, len(job.parts)) for job in whole.jobs] == [
        ("slurm", "ada", 4),
        ("systemd", "grace", 1),
        ("none", "ada", 1),
        ("none", "", 1),
    ]
    assert {job.user for job in jobs_told(snapshot(), Jobs(), "ada").jobs} == {"ada"}
    assert not jobs_told(snapshot(), Jobs(), "").jobs, "where users have no names, nobody has jobs of his own"


def test_one_job_or_one_system_may_be_asked_for() -> None:
    assert [job.job for job in jobs_told(snapshot(), Jobs("slurm"), None).jobs] == ["4711"]
    assert [job.job for job in jobs_told(snapshot(), Jobs(job="vllm.service"), None).jobs] == ["vllm.service"]
    assert not jobs_told(snapshot(), Jobs("slurm", "12"), None).jobs


@pytest.mark.usefixtures("work")
def test_a_stranger_does_not_see_what_root_has_used(agent: Rig) -> None:
    def known() -> list[dict[str, Any]]:
        with Caller(agent.path) as caller:
            found: list[dict[str, Any]] = caller.ask(do="jobs").get("jobs", [])
            return found

    eventually(lambda: any(job.get("user") == "root" for job in known()), "what root has used")

    def ask() -> list[object]:
        with Caller(agent.path) as caller:
            answer = caller.ask(do="jobs")
            return [answer["ok"], answer.get("jobs", [])]

    assert as_user(STRANGER, ask) == [True, []]


@pytest.mark.usefixtures("work")
def test_settled_figures_have_what_was_used_just_before(agent: Rig) -> None:
    with Caller(agent.path) as caller:
        eventually(agent.sampler.snapshot, "a snapshot")
        asked_unix_s = time.time()
        assert caller.ask(do="settle") == {"ok": True, "settled": True}
        assert caller.ask(do="jobs")["at_unix_s"] > asked_unix_s


def test_a_user_may_not_have_windows_closed_all_the_time(agent: Rig) -> None:
    def ask() -> list[object]:
        answers: list[object] = []
        for _ in range(6):
            with Caller(agent.path) as caller:
                answers.append(caller.ask(do="settle").get("error", ""))
        return answers

    answers = as_user(STRANGER, ask)
    assert answers[:4] == [""] * 4
    assert "no more than once in 5 s" in str(answers[4:])
