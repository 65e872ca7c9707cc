"""The wrapped command on a real terminal, alone and under a real job-controlling shell."""

import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from run.helpers import (
    MARKER,
    Stage,
    Wrapped,
    appears,
    counter_argv,
    driver_argv,
    eventually,
    gone,
    reaches_state,
    state_of,
)
from run.terminal import Terminal

Open = Callable[..., tuple[Terminal, Wrapped]]
CTRL_C, CTRL_BACKSLASH, CTRL_Z = b"\x03", b"\x1c", b"\x1a"
SLEEPER = ["sleep", "100"]


@pytest.fixture
def on_terminal(stage: Stage) -> Iterator[Open]:
    """Opens a terminal on which the driver of a command is the session's leader."""
    terminals: list[Terminal] = []

    def start(argv: Sequence[str], *flags: str) -> tuple[Terminal, Wrapped]:
        folder = stage.folder()
        terminals.append(Terminal(driver_argv(folder, argv, *flags), folder))
        return terminals[-1], Wrapped(folder, terminals[-1].leader)

    yield start
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def in_shell(stage: Stage) -> Iterator[Open]:
    """Opens a terminal with an interactive bash that has been told to run the driver of a command."""
    terminals: list[Terminal] = []

    def start(argv: Sequence[str], *flags: str) -> tuple[Terminal, Wrapped]:
        folder = stage.folder()
        bash = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
        terminal = Terminal(bash, folder, env={"PATH": os.environ["PATH"], "PS1": "", "TERM": "dumb"})
        terminals.append(terminal)
        run = Wrapped(folder, terminal.leader)
        shell(terminal, run, shlex.join(driver_argv(folder, argv, *flags)), wait=False)
        run.pid("command")
        return terminal, run

    yield start
    for terminal in terminals:
        terminal.close()


def shell(terminal: Terminal, run: Wrapped, line: str, *, wait: bool = True) -> None:
    """Have the shell carry out `line`."""
    terminal.foreground(terminal.leader.pid)
    done = run.folder / f"done{len(list(run.folder.iterdir()))}"
    terminal.type(
        f"{line}\n".encode() if not wait else f"{line}; echo $? > {done}.new; mv {done}.new {done}\n".encode()
    )
    if wait:
        appears(done)


def both_reach(run: Wrapped, letters: str) -> None:
    for role in ("command", "wrapper"):
        reaches_state(run.pid(role), letters)


def open_counter(start: Open, *names: str) -> tuple[Terminal, Wrapped]:
    terminal, run = start(counter_argv(Path(), MARKER, *names))
    run.ready()
    return terminal, run


@pytest.mark.parametrize(
    ("key", "name"),
    [(CTRL_C, "SIGINT"), (CTRL_BACKSLASH, "SIGQUIT"), (CTRL_Z, "SIGTSTP")],
)
def test_key_arrives_once(on_terminal: Open, key: bytes, name: str) -> None:
    terminal, run = open_counter(on_terminal, name)
    for typed in range(1, 4):
        terminal.type(key)
        eventually(lambda typed=typed: run.counts()[name] >= typed, name)  # type: ignore[misc]
        assert run.settled() == {name: typed}
    assert run.finish() == 5


def test_key_and_kill_are_told_apart(on_terminal: Open) -> None:
    terminal, run = open_counter(on_terminal, "SIGINT")
    terminal.type(CTRL_C)
    eventually(lambda: run.counts()["SIGINT"], "the key")
    assert run.settled() == {"SIGINT": 1}
    run.send(signal.SIGINT)
    assert run.settled() == {"SIGINT": 2}
    run.send_group(signal.SIGINT)
    assert run.settled() == {"SIGINT": 3}
    assert run.finish() == 5


CHECKPOINT = """
import pathlib, signal, sys, time
def save(*_):
    end_s = time.monotonic() + 2
    while (left_s := end_s - time.monotonic()) > 0:
        time.sleep(left_s)
    pathlib.Path("checkpoint").touch()
    sys.exit(11)
signal.signal(signal.SIGINT, save)
pathlib.Path("ready").touch()
while True:
    signal.pause()
"""


def test_checkpoint_at_ctrl_c_is_finished(on_terminal: Open) -> None:
    terminal, run = on_terminal([sys.executable, "-c", CHECKPOINT])
    run.ready()
    terminal.type(CTRL_C)
    assert terminal.code() == 11
    assert (run.folder / "checkpoint").exists()
    assert run.outcome()["exit_code"] == 11


def test_ctrl_c_ends_a_plain_command(on_terminal: Open) -> None:
    terminal, run = on_terminal(SLEEPER)
    run.pid("command")
    terminal.type(CTRL_C)
    assert terminal.code() == 130


def test_all_three_streams_are_the_terminal(on_terminal: Open) -> None:
    code = "import os; print([os.isatty(fd) for fd in (0, 1, 2)], os.get_terminal_size())"
    terminal, _ = on_terminal([sys.executable, "-c", code])
    terminal.expect(b"[True, True, True] os.terminal_size(")
    assert terminal.code() == 0


def test_resize_reaches_the_command(on_terminal: Open) -> None:
    terminal, run = open_counter(on_terminal, "SIGWINCH")
    terminal.resize(33, 77)
    eventually(lambda: run.counts()["SIGWINCH"], "SIGWINCH")
    assert run.settled() == {"SIGWINCH": 1}
    assert run.finish() == 5


def test_hang_up_reaches_the_command_once(on_terminal: Open) -> None:
    terminal, run = open_counter(on_terminal, "SIGHUP")
    terminal.hang_up()
    eventually(lambda: run.counts()["SIGHUP"], "SIGHUP")
    assert run.settled() == {"SIGHUP": 1}
    assert run.finish() == 5


def test_command_may_read_from_the_terminal(on_terminal: Open) -> None:
    terminal, _ = on_terminal(["sh", "-c", "echo ask; read answer; test $answer = 42"])
    terminal.expect(b"ask")
    terminal.type(b"42\n")
    assert terminal.code() == 0


def test_second_ctrl_c_ends_waiting_for_descendants(on_terminal: Open) -> None:
    daemon = "setsid sh -c 'touch ready; until [ -e finish ]; do sleep 0.02; done' &"
    script = f"{daemon} until [ -e ready ]; do sleep 0.02; done; exit 3"
    terminal, run = on_terminal(["sh", "-c", script], "--wait-all")
    gone(run.pid("witness"))
    terminal.type(CTRL_C)
    terminal.expect(b"^C")
    eventually(lambda: not pending(run.pid("wrapper")), "the first to be taken")
    assert terminal.leader.poll() is None
    terminal.type(CTRL_C)
    assert terminal.code() == 3
    assert run.outcome()["survivors"] >= 1
    (run.folder / "finish").touch()


def pending(pid: int) -> int:
    """Signals that wait to be taken: the mask of /proc/PID/status."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["ShdPnd"], 16)


def test_ctrl_z_stops_both_and_fg_and_bg_continue_both(in_shell: Open) -> None:
    terminal, run = in_shell(SLEEPER)
    group = os.getpgid(run.pid("command"))
    assert group == run.pid("wrapper") != terminal.leader.pid
    for _ in range(2):
        terminal.foreground(group)
        terminal.type(CTRL_Z)
        both_reach(run, "T")
        shell(terminal, run, "jobs -s > stopped")
        assert b"Stopped" in (run.folder / "stopped").read_bytes()
        shell(terminal, run, "fg", wait=False)
        terminal.foreground(group)
        both_reach(run, "S")
    terminal.type(CTRL_C)
    shell(terminal, run, "echo $? > code")
    assert (run.folder / "code").read_text() == "130\n"


def test_stopped_job_can_be_continued_in_the_background_and_killed(in_shell: Open) -> None:
    terminal, run = in_shell(SLEEPER)
    terminal.type(CTRL_Z)
    both_reach(run, "T")
    shell(terminal, run, "bg")
    both_reach(run, "S")
    shell(terminal, run, "kill %1")
    gone(run.pid("command"))
    gone(run.pid("wrapper"))
    assert run.outcome()["exit_code"] == 143


def test_stopped_job_can_be_killed_while_stopped(in_shell: Open) -> None:
    terminal, run = in_shell(SLEEPER)
    terminal.type(CTRL_Z)
    both_reach(run, "T")
    shell(terminal, run, "kill %1")  # bash sends SIGTERM, then SIGCONT, to the group
    gone(run.pid("wrapper"))
    assert run.outcome()["exit_code"] == 143


LATE_READER = """
import pathlib, sys, time
pathlib.Path("ready").touch()
while not pathlib.Path("go").exists():
    time.sleep(0.01)
sys.exit(input() != "42")
"""


def test_background_job_that_reads_is_stopped_and_fg_lets_it_read(in_shell: Open) -> None:
    terminal, run = in_shell([sys.executable, "-c", LATE_READER])
    run.ready()
    terminal.type(CTRL_Z)
    both_reach(run, "T")
    shell(terminal, run, "bg")
    (run.folder / "go").touch()
    both_reach(run, "T")
    shell(terminal, run, "fg", wait=False)
    terminal.foreground(run.pid("wrapper"))
    terminal.type(b"42\n")
    shell(terminal, run, "echo $? > code")
    assert (run.folder / "code").read_text() == "0\n"


def test_command_that_ignores_ctrl_z_keeps_the_wrapper_running(in_shell: Open) -> None:
    terminal, run = open_counter(in_shell, "-SIGTSTP", "SIGINT")
    terminal.type(CTRL_Z)
    terminal.type(CTRL_C)
    eventually(lambda: run.counts()["SIGINT"], "the key after it")
    assert run.settled() == {"SIGINT": 1}
    assert state_of(run.pid("wrapper")) != "T"


def test_command_that_stops_itself_gives_the_terminal_back(in_shell: Open) -> None:
    terminal, run = in_shell(["sh", "-c", "touch ready; kill -s STOP $$; exit 8"])
    both_reach(run, "T")
    shell(terminal, run, "fg; echo $? > code")
    assert (run.folder / "code").read_text() == "8\n"


def test_pipeline_stops_and_goes_on_as_one(stage: Stage, in_shell: Open) -> None:
    terminal, run = in_shell(SLEEPER)
    terminal.type(CTRL_C)
    second = Wrapped(stage.folder(), terminal.leader)
    argv = driver_argv(second.folder, counter_argv(Path(), MARKER))
    shell(terminal, run, f"cd {second.folder}; {shlex.join(argv)} | cat > out", wait=False)
    second.ready()
    terminal.type(CTRL_Z)
    both_reach(second, "T")
    shell(terminal, run, "fg", wait=False)
    both_reach(second, "S R")
    (second.folder / "finish").touch()
    eventually(second.has_outcome, "the end")
    assert second.outcome()["exit_code"] == 5


def test_report_can_be_written_from_the_background(in_shell: Open) -> None:
    terminal, run = in_shell(counter_argv(Path(), MARKER), "--report")
    run.ready()
    terminal.type(CTRL_Z)
    both_reach(run, "T")
    shell(terminal, run, "stty tostop")
    shell(terminal, run, "bg")
    both_reach(run, "S R")
    (run.folder / "finish").touch()
    terminal.expect(b"driver: end")
    gone(run.pid("wrapper"))
    assert run.outcome()["exit_code"] == 5
