"""The scripts by themselves: whatever goes wrong, they end in time, with 0."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from slurm.site import DEADLINE_S, SCRIPTS

NODE = ("prolog", "epilog")
GROUP = 61002
SECONDS = 8.0
"""Two or three, on a machine that may be busy with other things."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*NODE, "epilog_slurmctld", "task_prolog"):
        shutil.copy(SCRIPTS / name, tmp_path / name)
    (tmp_path / "spool").mkdir()
    return tmp_path


def settings(folder: Path, command: str, more: str = "") -> None:
    """`command` is what the scripts take for aipower."""
    (folder / "aipower").write_text(f"#!/bin/sh\n{command}\n")
    (folder / "aipower").chmod(0o755)
    text = f"AIPOWER={folder}/aipower\nSPOOL={folder}/spool\nSOCKET=/nobody\nPATIENCE_S=1\nWAIT_S=1\n{more}"
    (folder / "aipower.conf").write_text(text)


def call(folder: Path, name: str, **variables: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    """As slurmd calls it: without a search path."""
    given = {"SLURM_JOB_ID": "7", "SLURMD_NODENAME": "n1", "SLURM_JOB_RESTART_COUNT": "1", **variables}
    began_s = time.monotonic()
    done = subprocess.run(
        [os.fspath(folder / name)], env=given, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    return time.monotonic() - began_s, done


def until_there(path: Path) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < deadline_s, f"{path} never came"
        time.sleep(0.02)


@pytest.mark.parametrize("name", [*NODE, "epilog_slurmctld"])
@pytest.mark.parametrize("command", ["exit 3", "sleep 60", "exec /nonexistent/aipower"])
def test_an_aipower_that_fails_or_hangs_costs_little(folder: Path, name: str, command: str) -> None:
    settings(folder, command)
    took_s, done = call(folder, name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert took_s < SECONDS


@pytest.mark.parametrize("name", [*NODE, "epilog_slurmctld"])
def test_a_mistake_in_the_settings_is_no_failure(folder: Path, name: str) -> None:
    settings(folder, "exit 0", more="if then (\n")
    assert call(folder, name)[1].returncode == 0
    (folder / "aipower.conf").write_text("exit 5\n")
    assert call(folder, name)[1].returncode == 0


@pytest.mark.parametrize("name", [*NODE, "epilog_slurmctld"])
@pytest.mark.parametrize("job", ["", "../../etc", "7; touch /tmp/oh", "7 8"])
def test_what_is_no_job_is_left_alone(folder: Path, name: str, job: str) -> None:
    settings(folder, f"touch {folder}/called")
    assert call(folder, name, SLURM_JOB_ID=job)[1].returncode == 0
    assert not (folder / "called").exists()
    assert not list((folder / "spool").iterdir())


def test_other_scripts_may_call_them_whatever_their_mode(folder: Path) -> None:
    settings(folder, "echo 'aipower: no agent' >&2; exit 1")
    (folder / "epilog").chmod(0o644)
    given = {"SLURM_JOB_ID": "7", "SLURMD_NODENAME": "n1"}
    assert subprocess.run(["/bin/sh", folder / "epilog"], env=given, timeout=DEADLINE_S, check=False).returncode == 0
    until_there(folder / "spool" / "7" / "n1.none")


def test_the_epilog_tells_why_there_is_nothing(folder: Path) -> None:
    settings(folder, "echo 'aipower: no agent' >&2; exit 1")
    assert call(folder, "epilog")[1].returncode == 0
    told = folder / "spool" / "7" / "n1.none"
    until_there(told)
    assert told.read_text() == "aipower: no agent\n"


def test_the_epilog_is_no_process_of_the_job(folder: Path) -> None:
    settings(folder, f"env > {folder}/seen.new; mv {folder}/seen.new {folder}/seen")
    call(folder, "epilog")
    until_there(folder / "seen")
    assert "SLURM_JOB_ID" not in (folder / "seen").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder to another group, which takes root")
def test_the_controllers_group_may_remove_what_a_node_has_written(folder: Path) -> None:
    spool = folder / "spool"
    os.chown(spool, -1, GROUP)
    spool.chmod(0o2770)
    settings(folder, "while [ $# -gt 1 ]; do shift; done; echo '{}' > $1")
    call(folder, "epilog")
    written = spool / "7" / "n1.json"
    until_there(written)
    folder_mode, file_mode = (spool / "7").stat(), written.stat()
    assert (folder_mode.st_gid, folder_mode.st_mode & 0o777) == (GROUP, 0o770)
    assert (file_mode.st_gid, file_mode.st_mode & 0o777) == (GROUP, 0o660)


def test_a_first_run_asks_nobody_in_its_prolog(folder: Path) -> None:
    settings(folder, f"touch {folder}/called")
    assert call(folder, "prolog", SLURM_JOB_RESTART_COUNT="0")[1].returncode == 0
    assert not (folder / "called").exists()


def test_what_the_user_has_named_stays(folder: Path) -> None:
    job = {"SLURM_JOB_ACCOUNT": "physics", "SLURM_JOB_NAME": "train"}
    assert call(folder, "task_prolog", **job)[1].stdout == "export AIPOWER_TEAM=physics\nexport AIPOWER_JOB=train\n"
    assert call(folder, "task_prolog", **job, AIPOWER_TEAM="nlp", AIPOWER_JOB="mine")[1].stdout == ""
