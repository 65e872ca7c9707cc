"""What another user of the machine can do to the agent of root and to the runs of others: little."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.campaign.pages import TICKS, broken_laws, parse, rows, value
from daemon.agents import Agent, agent
from daemon.runs.rigs import Caller, as_user, eventually
from run.aipower_run import argv, call, environment

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")

STRANGER = 61001
SIEGE_S = 12.0
"""More than the patience with a request."""
HALF = b'{"do": "open", "na'
HALF_PAGE = b"GET /metrics HTTP/1.1\r\nX-Slow: "
BUSY = "while :; do :; done"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Where everybody may look: pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def roots_agent(folder: Path, *flags: str) -> Iterator[Agent]:
    """An agent of root whose places are all in `folder`."""
    (folder / "run").mkdir(mode=0o755)
    places = {"AIPOWER_SOCKET": str(folder / "run" / "agent.sock"), "AIPOWER_STATE_DIR": str(folder / "state")}
    with agent(folder, "--sensors", "fake:2", "--interval-s", "0.2", *flags, env=places) as running:
        running.until_healthy()
        eventually((folder / "run" / "agent.sock").exists, "the socket")
        yield running


@contextmanager
def besieged(work: Callable[[float], None]) -> Iterator[None]:
    """`work` in a process of the stranger's, until about `SIEGE_S` from now; waited for at the end."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(STRANGER)
            os.setuid(STRANGER)
            work(time.monotonic() + SIEGE_S)
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def tried(action: Callable[[], object]) -> str:
    """The name of the error that `action` raises, "done" if it raises none."""
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"


def test_the_journal_and_the_socket_are_out_of_reach(open_folder: Path) -> None:
    with roots_agent(open_folder) as running:
        running.until("aipower_agent_journal_flushes_total 1")
        path, state = open_folder / "run" / "agent.sock", open_folder / "state"
        slots = [state / name for name in ("counters.0", "counters.1", "lock")]

        def bind() -> None:
            with socket.socket(socket.AF_UNIX) as mine:
                mine.bind(str(path.with_name("mine.sock")))

        def attack() -> list[str]:
            attempts: list[Callable[[], object]] = [
                lambda: list(state.iterdir()),
                *((lambda slot=slot: slot.read_bytes()) for slot in slots),
                *((lambda slot=slot: slot.unlink()) for slot in slots),
                lambda: (state / "planted").write_bytes(b""),
                path.unlink,
                lambda: path.rename(path.with_name("away")),
                lambda: path.chmod(0o777),
                bind,
                lambda: Path(f"/proc/{running.process.pid}/environ").read_bytes(),
                lambda: os.kill(running.process.pid, signal.SIGHUP),
            ]
            return [tried(attempt) for attempt in attempts]

        assert set(as_user(STRANGER, attack)) == {"PermissionError"}
        done = call(open_folder, "true", env={"AIPOWER_SOCKET": str(path)})
    assert done.record["measured_by"] == "agent"


def siege(path: Path, address: tuple[str, int]) -> Callable[[float], None]:
    """As many half requests as one may have, at the socket and at the pages, opened again when they are cut off."""

    def work(until_s: float) -> None:
        held: list[socket.socket] = []
        while time.monotonic() < until_s:
            for family, where, half, most in (
                (socket.AF_UNIX, str(path), HALF, 200),
                (socket.AF_INET, address, HALF_PAGE, 200),
            ):
                for _ in range(most - sum(one.family == family for one in held)):
                    one = socket.socket(family)
                    one.settimeout(1)
                    held.append(one)
                    tried(lambda one=one, where=where: one.connect(where))  # type: ignore[misc]
                    tried(lambda one=one, half=half: one.sendall(half))  # type: ignore[misc]
            time.sleep(0.5)
            held = [one for one in held if tried(lambda one=one: one.send(b"x")) == "done"]  # type: ignore[misc]

    return work


def test_half_requests_hold_up_neither_runs_nor_scrapes(open_folder: Path) -> None:
    path = open_folder / "run" / "agent.sock"
    with roots_agent(open_folder) as running:
        host, _, port = running.address.rpartition(":")
        began_s, slowest_s, runs = time.monotonic(), 0.0, 0
        with besieged(siege(path, (host, int(port)))):
            while time.monotonic() - began_s < SIEGE_S:
                asked_s = time.monotonic()
                assert "aipower_build_info" in running.page()
                slowest_s = max(slowest_s, time.monotonic() - asked_s)
                done = call(open_folder, "true", env={"AIPOWER_SOCKET": str(path)})
                assert done.record["measured_by"] == "agent"
                runs += 1
        assert runs > 3
        assert slowest_s < 5, "it is some milliseconds on a quiet machine"
        assert "Traceback" not in running.log.read_text()


def test_a_flood_of_questions_is_slowed_down_and_takes_no_memory(open_folder: Path) -> None:
    path = open_folder / "run" / "agent.sock"

    def flood(until_s: float) -> None:
        callers = [socket.socket(socket.AF_UNIX) for _ in range(100)]
        for caller in callers:
            caller.connect(str(path))
            caller.setblocking(False)
        while time.monotonic() < until_s:
            for caller in callers:
                tried(lambda caller=caller: caller.send(b'{"do": "runs"}\n' * 2000))  # type: ignore[misc]
            time.sleep(0.01)

    with roots_agent(open_folder) as running:
        before_kb, ticks = memory_kb(running), value(parse(running.page()), TICKS)
        with besieged(flood):
            eventually(lambda: value(parse(running.page()), TICKS) > ticks + 25, "ticks")
            more_kb = memory_kb(running) - before_kb
        assert more_kb < 100_000, "it was 290,000"


def memory_kb(running: Agent) -> int:
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0])


ONE_WAVE = 8
"""Tries of five seconds each; a wave of the simulated processor lasts 30."""


def test_names_forge_no_series(open_folder: Path) -> None:
    path = open_folder / "run" / "agent.sock"
    forged = 'x"} 1\naipower_device_energy_joules_total{device="GPU-fake-0",kind="gpu",index="0"} 9e99\n# "\\'

    def forge() -> list[object]:
        with Caller(path) as caller:
            answer = caller.ask(do="open", name=forged)
            child = subprocess.Popen(["sh", "-c", BUSY])
            caller.say(b'{"do": "start", "pid": %d, "started_s": %r}\n' % (child.pid, time.monotonic()))
            time.sleep(5)
            child.kill()
            child.wait()
            return [answer["ok"]]

    with roots_agent(open_folder, "--process-interval-s", "0.2") as running:
        # The simulated processor draws power in waves, whatever is done: what works while it falls may get nothing.
        for _ in range(ONE_WAVE):
            assert as_user(STRANGER, forge) == [True]
            if f'user="{STRANGER}"' in running.page():
                break
        page = parse(running.until(f'user="{STRANGER}"'))
        assert broken_laws(page) == []
        assert max(found for _, found in rows(page, "aipower_device_energy_joules_total")) < 1e9
        names = {row["name"] for row, _ in rows(page, "aipower_run_energy_joules_total")}
        assert all("\n" not in name for name in names)


def test_a_stranger_neither_sees_nor_ends_a_run_of_roots_real_agent(open_folder: Path) -> None:
    path = open_folder / "run" / "agent.sock"
    record = open_folder / "run.json"
    with roots_agent(open_folder):
        run = subprocess.Popen(
            argv("-q", "--json", record, sys.executable, "-c", "import time; time.sleep(4)"),
            env=environment({"AIPOWER_SOCKET": str(path)}),
        )
        with Caller(path) as watcher:
            (state,) = eventually(lambda: [s for s in watcher.ask(do="runs")["runs"] if s["started"]], "the run")

            def attack() -> list[object]:
                end = {"do": "end", "ended_s": 1.0, "started_unix_s": 1.0, "exit_code": 0, "cpu_s": 0.0,
                       "max_rss_bytes": 0, "survivors": 0, "command": []}  # fmt: skip
                answers: list[object] = []
                for request in ({"do": "runs"}, {"do": "read", "run": state["run"]}, end):
                    with Caller(path) as stranger:
                        answers.append(stranger.ask(**request))
                return answers

            listed, read, ended = as_user(STRANGER, attack)
        assert listed["runs"] == []
        assert read["error"] == ended["error"] == "there is no such run"
        assert run.wait() == 0
    told = json.loads(record.read_bytes())
    assert (told["measured_by"], told["complete"]) == ("agent", True)


def test_a_long_command_line_is_measured_by_the_agent(open_folder: Path) -> None:
    path = open_folder / "run" / "agent.sock"
    words = ["x" * 1000] * 150
    with roots_agent(open_folder):
        done = call(open_folder, "true", *words, env={"AIPOWER_SOCKET": str(path)})
    assert done.record["measured_by"] == "agent"
    assert done.code == 0
