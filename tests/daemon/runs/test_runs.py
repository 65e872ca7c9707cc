"""Runs that the agent measures, over its real socket."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from aipower.daemon.runs.desk import RefusedError
from aipower.daemon.runs.metered import Owner
from aipower.daemon.runs.service import MOST_EACH, RunService, listen, owner_of
from aipower.errors import AipowerError
from aipower.processes.procfs import ProcFs
from daemon.runs.rigs import DEADLINE_S, PER_CPU_W, Caller, Rig, as_user, eventually, rig
from run.aipower_run import argv, environment

BUSY = "import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass\n"
STRANGER = 61001
"""A user who is neither root nor anybody."""


@pytest.fixture
def agent() -> Iterator[Rig]:
    """Where every user may come: pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with rig(Path(folder) / "run" / "agent.sock") as made:
            yield made


def busy(seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", BUSY.format(seconds=seconds)])


def test_a_run_is_measured_from_its_start_to_its_end(agent: Rig) -> None:
    with Caller(agent.path) as caller:
        run = caller.ask(do="open", name="demo")["run"]
        started_s = time.monotonic()
        with busy(1.0) as child:
            caller.say(b'{"do": "start", "pid": %d, "started_s": %r}\n' % (child.pid, started_s))
            child.wait()
            ended_s = time.monotonic()
        record, report = caller.end(ended_s=ended_s, command=["python", "-c", "…"])
    assert record["run_id"] == run
    assert record["measured_by"] == "agent"
    assert record["name"] == "demo"
    assert record["complete"], record["faults"]
    assert record["wall_s"] == pytest.approx(ended_s - started_s, abs=1e-6)
    (cpu,) = [device for device in record["devices"] if device["kind"] == "cpu"]
    assert cpu["energy_j"] > 0
    # Of a machine that may be busy with other things.
    assert record["cpu_time_s"] > 0.01
    assert cpu["run_energy_j"] >= 0.1 * PER_CPU_W * record["cpu_time_s"]
    parts_j = sum(cpu[part] for part in ("run_energy_j", "idle_j", "other_j", "unattributed_j"))
    assert parts_j == pytest.approx(cpu["energy_j"], abs=1e-5)
    assert [process["pid"] for process in record["processes"]] == ([child.pid] if cpu["run_energy_j"] else [])
    assert report.startswith("aipower: python -c …")


def test_a_run_shows_in_the_agents_own_figures_while_it_lasts_and_after(agent: Rig) -> None:
    with Caller(agent.path) as caller, busy(60.0) as child:
        run = caller.ask(do="open", name="long")["run"]
        caller.say(b'{"do": "start", "pid": %d, "started_s": %r}\n' % (child.pid, time.monotonic()))

        def used_uj() -> int:
            (state,) = caller.ask(do="runs")["runs"]
            assert state["run"] == run
            return sum(state["energy_uj"].values())

        first_uj = eventually(used_uj, "energy of the run")
        assert eventually(lambda: used_uj() > first_uj, "more of it")
        snapshot = agent.sampler.snapshot()
        assert snapshot is not None
        assert {row.name for row in snapshot.runs if row.run == run} == {"long"}
        child.terminate()


def test_a_caller_who_breaks_off_ends_its_run(agent: Rig) -> None:
    caller = Caller(agent.path)
    with busy(60.0) as child:
        caller.ask(do="open")
        caller.say(b'{"do": "start", "pid": %d, "started_s": 0.0}\n' % child.pid)
        with Caller(agent.path) as watcher:
            eventually(lambda: watcher.ask(do="runs")["runs"], "the run")
            caller.close()
            eventually(lambda: not watcher.ask(do="runs")["runs"], "the end of the run")
        child.terminate()


def test_several_runs_at_once_each_get_their_own_share(agent: Rig, tmp_path: Path) -> None:
    env = environment({"AIPOWER_SOCKET": str(agent.path)})
    words = {"large": [sys.executable, "-c", BUSY.format(seconds=1.5)], "small": ["sleep", "1.5"]}
    runs = [
        subprocess.Popen(argv("-q", "--json", str(tmp_path / name), *command), env=env)
        for name, command in words.items()
    ]
    assert [run.wait() for run in runs] == [0, 0]
    large, small = (json.loads((tmp_path / name).read_bytes()) for name in words)
    assert large["measured_by"] == small["measured_by"] == "agent"
    (cpu,) = [device for device in large["devices"] if device["kind"] == "cpu"]
    assert large["cpu_time_s"] > 3 * small["cpu_time_s"]
    # The simulated processor rests from time to time, whatever the real one does: then there is nothing to share.
    rests = cpu["energy_j"] - cpu["idle_j"] < 0.05 * cpu["energy_j"]
    assert rests or large["energy_j"]["cpu"] > 3 * small["energy_j"]["cpu"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"\n", "truncated"),
        (b"nonsense\n", "malformed"),
        (b'{"do": "steal"}\n', "Invalid value"),
        (b'{"do": "start", "pid": 1, "started_s": 1.0}\n', "opened first"),
        (b'{"do": "end", "ended_s": 1.0}\n', "missing required field"),
        (b'{"do": "read", "run": "x"}\n', "no such run"),
        (b'{"do": "mark", "lines": "B 1 2 3 0 x"}\n', "started before its phases"),
        (b'{"do": "mark", "lines": "' + b"x" * 20_000 + b'"}\n', "too long"),
        (b"x" * (1 << 21) + b"\n", "too long"),
        (b'{"do": "open", "name": "\xff"}\n', "UTF-8"),
        (b"[" * 100_000 + b"\n", ""),
    ],
)
def test_nonsense_gets_one_line_and_costs_nothing(agent: Rig, line: bytes, told: str) -> None:
    with Caller(agent.path) as caller:
        try:
            caller.say(line)
        except (BrokenPipeError, ConnectionResetError):
            return  # hung up on before it was all said
        answer = caller.hear()
        assert answer["ok"] is False
        assert told.lower() in answer["error"].lower()
        assert caller.hear() == {}
    with Caller(agent.path) as next_:
        assert next_.ask(do="open")["ok"]


def test_a_command_must_be_the_callers_own_child(agent: Rig) -> None:
    with Caller(agent.path) as caller:
        caller.ask(do="open")
        answer = caller.ask(do="start", pid=os.getppid(), started_s=0.0)
    assert answer["error"].startswith(f"process {os.getppid()} is no child of the one that asks")


def test_whoever_has_the_pid_of_a_caller_that_died_is_not_the_caller(agent: Rig) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, tempfile.TemporaryDirectory() as folder:
        listener.bind(f"{folder}/s")
        listener.listen()
        code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({folder + '/s'!r})"
        subprocess.run([sys.executable, "-c", code], check=True)
        connection, _ = listener.accept()
        with connection:
            assert owner_of(connection, ProcFs()).started_ticks == 0
    me = ProcFs().stat(os.getpid())
    assert me is not None
    before_me = Owner(me.pid, 0, me.started_ticks - 1)
    agent.sampler.ask(lambda: agent.desk.open("reused", before_me, "")).result(DEADLINE_S)
    with pytest.raises(RefusedError, match="has gone"):
        agent.sampler.ask(lambda: agent.desk.start("reused", me.pid, 0.0, frozenset())).result(DEADLINE_S)
    agent.sampler.ask(lambda: agent.desk.drop("reused")).result(DEADLINE_S)


def test_what_another_user_runs_below_a_caller_is_not_the_callers(agent: Rig) -> None:
    me = ProcFs().stat(os.getpid())
    assert me is not None
    stranger = Owner(me.pid, STRANGER, me.started_ticks)
    with busy(60.0) as child:
        agent.sampler.ask(lambda: agent.desk.open("below", stranger, "")).result(DEADLINE_S)
        with pytest.raises(RefusedError, match="another user's"):
            agent.sampler.ask(lambda: agent.desk.start("below", child.pid, 0.0, frozenset())).result(DEADLINE_S)
        agent.sampler.ask(lambda: agent.desk.drop("below")).result(DEADLINE_S)
        child.terminate()


def test_a_user_who_opens_runs_all_the_time_is_refused(agent: Rig) -> None:
    stranger = Owner(os.getpid(), STRANGER, 1)

    def open_and_drop(number: int) -> bool:
        try:
            agent.desk.open(str(number), stranger, "")
        except RefusedError:
            return False
        agent.desk.drop(str(number))
        return True

    opened = [agent.sampler.ask(partial(open_and_drop, number)).result(DEADLINE_S) for number in range(64)]
    assert all(opened[:32])
    assert not all(opened)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_neither_sees_nor_ends_a_run(agent: Rig) -> None:
    assert stat.S_IMODE(agent.path.stat().st_mode) == 0o666
    assert stat.S_IMODE(agent.path.parent.stat().st_mode) == 0o755
    with Caller(agent.path) as caller, busy(60.0) as child:
        run = caller.ask(do="open", name="secret")["run"]
        caller.say(b'{"do": "start", "pid": %d, "started_s": 0.0}\n' % child.pid)
        eventually(lambda: caller.ask(do="runs")["runs"], "the run")

        def attack() -> list[object]:
            answers: list[object] = []
            for request in (
                {"do": "runs"},
                {"do": "read", "run": run},
                {"do": "end", "ended_s": 1.0, "started_unix_s": 1.0, "exit_code": 0, "cpu_s": 0.0,
                 "max_rss_bytes": 0, "survivors": 0, "command": []},
            ):  # fmt: skip
                with Caller(agent.path) as stranger:
                    answers.append(stranger.ask(**request))
            with Caller(agent.path) as stranger:
                stranger.ask(do="open")
                answers.append(stranger.ask(do="start", pid=child.pid, started_s=0.0))
            return answers

        listed, read, ended, started = as_user(STRANGER, attack)
        assert listed == {"ok": True, "runs": []}
        assert read == ended == {"ok": False, "error": "there is no such run"}
        assert "is no child" in started["error"]
        assert [state["run"] for state in caller.ask(do="runs")["runs"]] == [run]
        child.terminate()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_one_user_cannot_take_all_places(agent: Rig) -> None:
    def crowd() -> list[object]:
        callers = [Caller(agent.path) for _ in range(MOST_EACH + 1)]
        return [callers[-1].hear().get("error")]

    assert as_user(STRANGER, crowd) == ["too many connections"]
    with Caller(agent.path) as caller:
        assert caller.ask(do="open")["ok"]


def test_too_many_runs_are_refused(tmp_path: Path) -> None:
    with rig(tmp_path / "agent.sock", most_runs=3) as small:
        callers = [Caller(small.path) for _ in range(4)]
        assert [caller.ask(do="open")["ok"] for caller in callers] == [True, True, True, False]
        for caller in callers:
            caller.close()
        with Caller(small.path) as watcher:
            eventually(lambda: not watcher.ask(do="runs")["runs"], "that all have gone")
            assert watcher.ask(do="open")["ok"]


def test_what_a_dead_agent_left_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    listen(path).close()
    assert path.is_socket()
    with rig(path) as living, pytest.raises(AipowerError, match="another agent listens there"):
        RunService(path, living.desk, living.sampler).start()
    assert not path.exists()


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(AipowerError, match="no socket for aipower-run at"):
        listen(path)
    assert path.read_text() == "mine"
