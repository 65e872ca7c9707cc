"""What the kernel lets an agent read, as the documentation says it: groups always, environments with rights only."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

READ = """
import sys
from aipower.owners.reader import PlaceReader
facts = PlaceReader(environment=True).read(int(sys.argv[1])).facts
sys.exit(0 if facts.team == "vision" else 3)
"""
UNREAD = 3
JOBS = Path(__file__).parents[2] / "docs/jobs.md"
NOBODY = ("--reuid", "65534", "--regid", "65534", "--clear-groups")
PLAIN = ("--bounding-set", "-all")
"""As in a container without capabilities: user 0 with none."""


def _worker(*who: str) -> subprocess.Popen[bytes]:
    """A process of a job of the team `vision`, as soon as it has become what it shall be."""
    command = ["setpriv", *who, "cat"] if who else ["cat"]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | {"AIPOWER_TEAM": "vision"})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with open(f"/proc/{worker.pid}/comm", encoding="utf-8") as file:  # noqa: PTH123
            if file.read().strip() == "cat":
                return worker
        time.sleep(0.01)
    raise AssertionError("the worker has not started")


@pytest.mark.parametrize(
    ("who", "rights", "read"),
    [
        (PLAIN, "-all", True),
        ((), "-all", False),
        ((), "-all,+sys_ptrace", True),
        (NOBODY, "-all", False),
        (NOBODY, "-all,+sys_ptrace", False),
        (NOBODY, "-all,+sys_ptrace,+dac_read_search", True),
    ],
    ids=["root-plain", "root", "root-ptrace", "other", "other-ptrace", "other-ptrace-dac"],
)
def test_an_environment_is_open_to_who_has_the_right(who: tuple[str, ...], rights: str, *, read: bool) -> None:
    assert _reads("--bounding-set", rights, worker=who) is read


def test_the_documented_drop_in_opens_them_to_the_service() -> None:
    (listed,) = re.findall(r"AmbientCapabilities=(.*)", JOBS.read_text(encoding="utf-8"))
    rights = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in listed.split())
    assert _reads(*_service("+dac_read_search"), worker=()) is False
    assert _reads(*_service(rights), worker=()) is True
    assert _reads(*_service(rights), worker=("--reuid", "65533", "--clear-groups")) is True


def _service(rights: str) -> tuple[str, ...]:
    """A user of its own with these capabilities."""
    return (*NOBODY, "--inh-caps", rights, "--ambient-caps", rights)


def _reads(*who: str, worker: tuple[str, ...]) -> bool:
    """Whether an agent that is `who` finds the team of `worker`."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv (util-linux)")
    with _worker(*worker) as running:
        command = ["setpriv", *who, sys.executable, "-c", READ, str(running.pid)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in {0, UNREAD}, done.stderr
    return done.returncode == 0
