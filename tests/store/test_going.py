"""Whether a run that has left no record still goes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aipower.store import RunStore
from aipower.store.going import CLOCK_SLACK_S, Here, Marker, State, read_marker, state_of, this_machine
from aipower.store.writing import begin

HERE = Here("node", "boot-1", {7: 1000.0}.get)
MARKER = Marker("r1", 7, 1000.0, host="node", boot="boot-1")


def marker(pid: int = 7, started_unix_s: float = 1000.0, host: str = "node", boot: str = "boot-1") -> Marker:
    return Marker("r1", pid, started_unix_s, host=host, boot=boot)


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (marker(), "running"),
        (marker(host="", boot=""), "running"),
        (marker(pid=8), "killed"),
        (marker(boot="boot-0"), "killed"),
        (marker(started_unix_s=1000.0 - CLOCK_SLACK_S - 1), "killed"),
        (marker(started_unix_s=2000.0), "running"),
        (marker(host="other", pid=8), "elsewhere"),
    ],
)
def test_what_became_of_it(one: Marker, state: State) -> None:
    assert state_of(one, HERE) == state


def test_this_process_runs_and_one_that_has_ended_does_not() -> None:
    here = this_machine()
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    born_s = here.birth_unix_s(os.getpid())
    assert born_s is not None
    assert 0 <= time.time() - born_s < 86_400
    assert (here.host, len(here.boot)) == (socket.gethostname(), 36)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert here.birth_unix_s(child.pid) is None  # a zombie runs no more
    child.wait()
    assert here.birth_unix_s(child.pid) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"run_id": "r1"}'])
def test_what_is_no_marker_is_none(content: bytes) -> None:
    assert read_marker(content) is None


def test_markers_are_listed_and_foreign_ones_left_out(tmp_path: Path) -> None:
    line = b'{"run_id":"%s","pid":%d,"started_unix_s":%f,"name":"n","command":["a"],"host":"%s","more":1}'
    me, host, now_s = os.getpid(), socket.gethostname().encode(), time.time()
    begin(str(tmp_path), "r2", line % (b"r2", me, now_s, host))
    begin(str(tmp_path), "r1", line % (b"r1", 2**22 + 1, now_s - 9, host))
    begin(str(tmp_path), "r3", line % (b"r9", me, now_s, host))
    begin(str(tmp_path), "r4", b"{")
    going = RunStore(tmp_path).listing().going
    assert [(one.marker.run_id, one.state) for one in going] == [("r1", "killed"), ("r2", "running")]
    assert (going[0].marker.name, going[0].marker.command) == ("n", ["a"])
