"""Signals to a series, and a series on a terminal: the child gets each once, and the series ends after it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from repeat.desk import Desk
from run.helpers import appears, eventually, gone, reaches_state
from run.terminal import Terminal, session_members

FAKE = ("--sensors=fake", "--no-agent")
SLEEPER = ("sh", "-c", "echo $$ > pid; mv pid started; exec sleep 100")
COUNTER = """
trap 'echo TERM >> seen' TERM
trap 'echo USR1 >> seen' USR1
trap 'echo INT >> seen' INT
echo $$ > pid; mv pid started
until [ -e finish ]; do sleep 0.05; done
exit 6
"""


@pytest.fixture
def start(desk: Desk) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a series in a session of its own."""
    running: list[subprocess.Popen[str]] = []

    def begin(command: Sequence[str], **options: Any) -> subprocess.Popen[str]:
        running.append(
            subprocess.Popen(
                desk.argv(command, **options),
                cwd=desk.folder,
                env=desk.environment(),
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return running[-1]

    yield begin
    for process in running:
        for pid in session_members(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=60)


def pid_of_command(desk: Desk) -> int:
    return int(appears(desk.folder / "started").read_text())


def seen(desk: Desk) -> list[str]:
    path = desk.folder / "seen"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize(("signo", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_signal_to_us_alone_ends_the_command_and_the_series(
    desk: Desk, start: Callable[..., subprocess.Popen[str]], signo: int, code: int
) -> None:
    series = start(SLEEPER, passed=FAKE)
    command = pid_of_command(desk)
    series.send_signal(signo)
    err = series.communicate(timeout=60)[1]
    assert series.returncode == code
    gone(command)
    assert "1 of 3 repetitions" in err
    assert "interrupted: the figures are those of the repetitions so far" in err
    assert desk.summary()["exit_code"] == code


def test_command_that_takes_its_time_over_a_signal_is_waited_for(
    desk: Desk, start: Callable[..., subprocess.Popen[str]]
) -> None:
    series = start(("sh", "-c", COUNTER), passed=FAKE)
    pid_of_command(desk)
    series.send_signal(signal.SIGTERM)
    eventually(lambda: seen(desk), "the signal")
    assert series.poll() is None
    (desk.folder / "finish").touch()
    assert series.wait(60) == 6
    assert seen(desk) == ["TERM"]
    assert len(desk.summary()["records"]) == 1


def test_command_that_ends_well_because_of_a_signal_was_cut_short_still(
    desk: Desk, start: Callable[..., subprocess.Popen[str]]
) -> None:
    series = start(("sh", "-c", "trap 'exit 0' TERM; touch started; while :; do sleep 0.05; done"), passed=FAKE)
    appears(desk.folder / "started")
    series.send_signal(signal.SIGTERM)
    assert series.wait(60) == 143
    assert desk.summary()["cut_short"] == [1]
    assert desk.summary()["mean_of"] == []
    assert desk.summary()["records"][0]["exit_code"] == 0


def test_signal_to_the_whole_group_arrives_once(desk: Desk, start: Callable[..., subprocess.Popen[str]]) -> None:
    series = start(("sh", "-c", COUNTER), passed=FAKE)
    pid_of_command(desk)
    os.killpg(series.pid, signal.SIGTERM)
    eventually(lambda: seen(desk), "the signal")
    series.send_signal(signal.SIGUSR1)
    eventually(lambda: "USR1" in seen(desk), "the second signal")
    (desk.folder / "finish").touch()
    assert series.wait(60) == 6
    assert seen(desk) == ["TERM", "USR1"]


def test_other_signals_are_passed_on_and_do_not_end_the_series(
    desk: Desk, start: Callable[..., subprocess.Popen[str]]
) -> None:
    series = start(("sh", "-c", COUNTER), passed=FAKE, repetitions=2, keep_going=True)
    pid_of_command(desk)
    series.send_signal(signal.SIGUSR1)
    eventually(lambda: seen(desk), "the signal")
    (desk.folder / "finish").touch()
    assert series.wait(60) == 0
    assert len(desk.summary()["records"]) == 2


def test_signal_during_a_cool_down_ends_the_series_at_once(
    desk: Desk, start: Callable[..., subprocess.Popen[str]]
) -> None:
    series = start(("true",), fake=True, cool_down=1000.0)
    appears(desk.folder / "calls.jsonl")
    witness_and_we = 2
    eventually(lambda: len(list(session_members(series.pid))) == witness_and_we, "the end of the first run")
    series.send_signal(signal.SIGTERM)
    assert series.wait(60) == 143
    assert len(desk.summary()["records"]) == 1
    assert list(desk.temporary.iterdir()) == []


def test_ignored_hang_up_ends_nothing(desk: Desk) -> None:
    argv = desk.argv(("sh", "-c", "kill -HUP $PPID; sleep 0.2"), fake=True)
    done = subprocess.run(
        ["nohup", *argv], cwd=desk.folder, env=desk.environment(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(desk.summary()["records"]) == 3


def test_descendants_that_survive_are_no_children_of_the_next_run(
    desk: Desk, start: Callable[..., subprocess.Popen[str]]
) -> None:
    series = start(("sh", "-c", "setsid sleep 100 & echo $! >> survivors"), passed=FAKE, repetitions=2)
    assert series.wait(60) == 0
    survivors = (desk.folder / "survivors").read_text().split()
    for pid in survivors:
        os.kill(int(pid), signal.SIGKILL)
    assert len(survivors) == 2


@pytest.fixture
def on_terminal(desk: Desk) -> Iterator[Callable[..., Terminal]]:
    """Opens a terminal on which a series is the session's leader."""
    terminals: list[Terminal] = []

    def begin(command: Sequence[str], term: str = "xterm", **options: Any) -> Terminal:
        env = {**desk.environment(), "TERM": term, "PYTHONIOENCODING": "utf-8"}
        terminals.append(Terminal(desk.argv(command, **options), desk.folder, env))
        return terminals[-1]

    yield begin
    for terminal in terminals:
        terminal.close()


def test_bar_shows_the_estimate_so_far_where_the_terminal_is_ours(
    desk: Desk, on_terminal: Callable[..., Terminal]
) -> None:
    desk.script({"total_j": 10.0}, {"total_j": 11.0})
    wait = "echo hid''den; touch started$(wc -l < calls.jsonl); until [ -e go ]; do sleep 0.05; done"
    terminal = on_terminal(("sh", "-c", wait), fake=True, output="null", repetitions=3)
    appears(desk.folder / "started1")
    terminal.expect(b"\r\x1b[K[1/3] ")
    (desk.folder / "go").touch()
    terminal.expect("mean 10.50 J ±".encode())
    terminal.expect(b"its runs one by one")
    assert terminal.code() == 0
    assert b"hidden" not in terminal.seen
    assert "━".encode() in terminal.seen or "─".encode() in terminal.seen


def test_command_that_may_write_to_the_terminal_has_it_for_itself(on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal(("sh", "-c", "test -t 0 && test -t 1 && test -t 2 && sleep 0.7 && echo seen"), passed=FAKE)
    terminal.expect(b"its runs one by one")
    assert terminal.code() == 0
    assert "━".encode() not in terminal.seen
    assert terminal.seen.startswith(b"seen\r\n[1/3] ")
    assert terminal.seen.count(b"\r\nseen\r\n[") == 2


def test_line_of_a_cool_down_is_gone_before_the_command_begins(on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal(("echo", "seen"), fake=True, cool_down=0.5)
    terminal.expect(b"its runs one by one")
    assert b"\r\x1b[Kcooling down, " in terminal.seen
    assert terminal.seen.count(b"s left\r\x1b[Kseen\r\n") == 2


def test_dumb_terminal_sees_no_control_character(on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal(("echo", "seen"), term="dumb", fake=True, cool_down=0.3, output="null")
    terminal.expect(b"its runs one by one")
    assert terminal.code() == 0
    assert b"\x1b" not in terminal.seen
    assert b"[3/3] 10.00 J" in terminal.seen


def test_ctrl_c_ends_the_command_then_the_series(desk: Desk, on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal(SLEEPER, passed=FAKE)
    command = pid_of_command(desk)
    terminal.type(b"\x03")
    terminal.expect(b"interrupted: the figures are those of the repetitions so far")
    assert terminal.code() == 130
    gone(command)
    assert len(desk.summary()["records"]) == 1
    assert desk.summary()["records"][0]["exit_code"] == 130


def test_command_that_handles_ctrl_c_gets_it_once(desk: Desk, on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal(("sh", "-c", COUNTER), passed=FAKE)
    pid_of_command(desk)
    terminal.type(b"\x03")
    eventually(lambda: seen(desk), "the key")
    (desk.folder / "finish").touch()
    assert terminal.code() == 6
    assert seen(desk) == ["INT"]


def test_ctrl_c_in_a_cool_down_reports_what_there_is(on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal(("true",), fake=True, cool_down=1000.0)
    terminal.expect(b"cooling down, ")
    terminal.type(b"\x03")
    terminal.expect(b"1 of 3 repetitions")
    assert terminal.code() == 130


def test_hang_up_ends_the_series(desk: Desk, on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal(SLEEPER, passed=FAKE)
    command = pid_of_command(desk)
    terminal.hang_up()
    gone(command)
    assert terminal.code() == 129
    assert desk.summary()["exit_code"] == 129


def test_command_reads_from_the_terminal_each_time(on_terminal: Callable[..., Terminal]) -> None:
    terminal = on_terminal(("sh", "-c", "echo ask$(wc -l < calls.jsonl); read x; test $x = 42"), fake=True)
    for number in (1, 2, 3):
        terminal.expect(f"ask{number}\r\n".encode())
        terminal.type(b"42\n")
    assert terminal.code() == 0


def test_ctrl_z_stops_all_of_us_and_fg_goes_on(desk: Desk, tmp_path: Path) -> None:
    env = {**desk.environment(), "PS1": "", "TERM": "dumb"}
    bash = Terminal(["bash", "--norc", "--noprofile", "--noediting", "-i"], tmp_path, env)
    try:
        bash.foreground(bash.leader.pid)
        # No dash: a child of its that is stopped between vfork and exec would keep it from being stopped itself.
        line = shlex.join(desk.argv(("bash", "-c", COUNTER), passed=FAKE, repetitions=1))
        bash.type(f"{line}; echo code $?\n".encode())
        command = pid_of_command(desk)
        group = os.getpgid(command)
        bash.foreground(group)
        bash.type(b"\x1a")
        reaches_state(command, "T")
        reaches_state(group, "T")
        bash.foreground(bash.leader.pid)
        bash.type(b"fg\n")
        bash.foreground(group)
        reaches_state(group, "S")
        (desk.folder / "finish").touch()
        bash.expect(b"1 repetition")
    finally:
        bash.close()
