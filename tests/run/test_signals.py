"""What reaches the command when the wrapper, or the group of both, is signalled."""

import os
import signal
from pathlib import Path

import pytest

from run.helpers import Stage, eventually, gone, is_alive, reaches_state, state_of

RELAYED = [
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGALRM", "SIGWINCH", "SIGCONT", "SIGURG", "SIGIO",
    "SIGPWR", "SIGPIPE", "SIGXCPU", "SIGABRT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGRTMIN+3",
]  # fmt: skip


def number(name: str) -> int:
    base, _, offset = name.partition("+")
    return signal.Signals[base] + int(offset or 0)


@pytest.mark.parametrize("name", RELAYED)
def test_signal_to_the_wrapper_alone_arrives_once(stage: Stage, name: str) -> None:
    run = stage.count(name)
    run.send(number(name))
    assert run.settled() == {name: 1}
    assert run.finish() == 5


@pytest.mark.parametrize("name", RELAYED)
def test_signal_to_the_group_arrives_once(stage: Stage, name: str) -> None:
    run = stage.count(name)
    run.send_group(number(name))
    assert run.settled() == {name: 1}
    assert run.finish() == 5


def test_many_signals_one_after_another(stage: Stage) -> None:
    run = stage.count("SIGINT", "SIGUSR1")
    for sent in range(1, 11):
        run.send(signal.SIGINT)
        assert run.settled() == {"SIGINT": sent} | ({"SIGUSR1": sent - 1} if sent > 1 else {})
        run.send_group(signal.SIGUSR1)
        assert run.settled() == {"SIGINT": sent, "SIGUSR1": sent}
    assert run.finish() == 5


def test_different_signals_at_once(stage: Stage) -> None:
    run = stage.count("SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1")
    run.send(signal.SIGTERM)
    run.send_group(signal.SIGINT)
    run.send(signal.SIGUSR1)
    run.send_group(signal.SIGHUP)
    assert run.settled() == {"SIGHUP": 1, "SIGINT": 1, "SIGTERM": 1, "SIGUSR1": 1}


def test_storm_to_the_group_never_arrives_twice_as_often(stage: Stage) -> None:
    run = stage.count("SIGINT")
    for _ in range(200):
        run.send_group(signal.SIGINT)
    assert 1 <= run.settled()["SIGINT"] <= 200


def test_signal_to_each_process_of_the_job_arrives_once(stage: Stage) -> None:
    run = stage.count("SIGTERM")
    for role in ("wrapper", "command", "witness"):  # as a scheduler walks a cgroup
        os.kill(run.pid(role), signal.SIGTERM)
    assert run.settled() == {"SIGTERM": 1}


def test_timeout_signals_child_and_group_but_the_command_gets_one(stage: Stage) -> None:
    run = stage.count("SIGTERM", before=["timeout", "100"])
    os.kill(run.process.pid, signal.SIGTERM)  # timeout does the same as if its time had come
    eventually(lambda: run.counts()["SIGTERM"], "SIGTERM")
    assert run.settled() == {"SIGTERM": 1}
    assert run.finish() in (5, 124)


def test_trap_of_the_command_runs_and_decides_the_code(stage: Stage) -> None:
    script = "trap 'echo >> trapped; exit 3' TERM; touch ready; while :; do sleep 0.02; done"
    run = stage.start(["sh", "-c", script])
    run.ready()
    run.send(signal.SIGTERM)
    assert run.code() == 3
    assert (run.folder / "trapped").read_text() == "\n"
    assert run.outcome()["exit_code"] == 3


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_command_that_dies_of_it_is_reported(stage: Stage, signo: signal.Signals) -> None:
    run = stage.start(["sleep", "100"])
    run.send(signo)
    assert run.code() == 128 + signo
    assert run.outcome()["signal"] == signo


def test_wrapper_outlives_everything_that_can_be_caught(stage: Stage) -> None:
    ignored = [f"-{name}" for name in RELAYED if name != "SIGCONT"]
    run = stage.count(*ignored)
    for name in RELAYED:
        run.send(number(name))
        run.send_group(number(name))
    assert run.settled() == {}
    assert run.finish() == 5


def test_without_witness_signals_are_forwarded(stage: Stage) -> None:
    run = stage.count("SIGTERM")
    os.kill(run.pid("witness"), signal.SIGKILL)
    eventually(lambda: not state_of(run.pid("witness")), "reaping of the witness")
    run.send(signal.SIGTERM)
    assert run.settled() == {"SIGTERM": 1}
    assert run.finish() == 5
    assert run.outcome()["survivors"] == 0


def test_killed_wrapper_leaves_the_command_alone(stage: Stage) -> None:
    run = stage.count("SIGTERM")
    witness, command = run.pid("witness"), run.pid("command")
    run.send(signal.SIGKILL)
    assert run.code() == -signal.SIGKILL
    gone(witness)
    assert is_alive(command)
    os.kill(command, signal.SIGTERM)
    eventually(lambda: run.counts()["SIGTERM"], "a sign of life")
    (run.folder / "finish").touch()
    gone(command)


def test_stopped_command_stops_the_wrapper_and_both_go_on(stage: Stage) -> None:
    run = stage.count()
    os.kill(run.pid("command"), signal.SIGSTOP)
    reaches_state(run.pid("wrapper"), "T")
    run.send_group(signal.SIGCONT)
    assert run.settled() == {}
    assert state_of(run.pid("command")) != "T"
    assert run.finish() == 5


def test_wrapper_wakes_when_only_the_command_is_continued(stage: Stage) -> None:
    run = stage.count()
    for _ in range(2):
        os.kill(run.pid("command"), signal.SIGSTOP)
        reaches_state(run.pid("wrapper"), "T")
        os.kill(run.pid("command"), signal.SIGCONT)
        reaches_state(run.pid("wrapper"), "S R")
    assert run.finish() == 5


def test_wrapper_wakes_when_the_stopped_command_is_killed(stage: Stage) -> None:
    run = stage.count()
    os.kill(run.pid("command"), signal.SIGSTOP)
    reaches_state(run.pid("wrapper"), "T")
    os.kill(run.pid("command"), signal.SIGKILL)
    assert run.code() == 137


def test_terminal_stop_sent_to_the_wrapper_stops_both_and_cont_continues_both(stage: Stage) -> None:
    run = stage.start(["sleep", "100"])
    for _ in range(2):
        run.send(signal.SIGTSTP)
        reaches_state(run.pid("command"), "T")
        reaches_state(run.pid("wrapper"), "T")
        assert os.waitpid(run.process.pid, os.WUNTRACED)[1] >> 8 == signal.SIGTSTP
        run.send(signal.SIGCONT)
        reaches_state(run.pid("command"), "S")
        reaches_state(run.pid("wrapper"), "S")
    run.send(signal.SIGTERM)
    assert run.code() == 143


def test_command_that_ignores_the_terminal_stop_keeps_the_wrapper_running(stage: Stage) -> None:
    run = stage.count("-SIGTSTP")
    run.send(signal.SIGTSTP)
    run.send_group(signal.SIGTSTP)
    assert run.settled() == {}
    assert state_of(run.pid("wrapper")) != "T"
    assert run.finish() == 5


def test_stopped_group_of_which_only_the_wrapper_is_continued(stage: Stage) -> None:
    run = stage.count()
    run.send_group(signal.SIGSTOP)
    reaches_state(run.pid("witness"), "T")
    reaches_state(run.pid("wrapper"), "T")
    reaches_state(run.pid("command"), "T")
    run.send(signal.SIGCONT)
    reaches_state(run.pid("command"), "S R")
    assert run.settled() == {}
    assert run.finish() == 5


def test_storm_of_stops_and_continues_ends_running(stage: Stage) -> None:
    run = stage.start(["sleep", "100"])
    run.pid("command")
    for _ in range(30):
        run.send_group(signal.SIGTSTP)
        run.send_group(signal.SIGCONT)
    run.send(signal.SIGTERM)
    assert run.code() == 143


def test_other_threads_have_the_signals_blocked(stage: Stage) -> None:
    run = stage.count()
    wrapper = run.pid("wrapper")
    threads = [task for task in Path(f"/proc/{wrapper}/task").iterdir() if task.name != str(wrapper)]
    assert len(threads) == 1
    fields = dict(line.split(":", 1) for line in (threads[0] / "status").read_text().splitlines())
    blocked = int(fields["SigBlk"], 16)
    assert [name for name in RELAYED if not blocked >> (number(name) - 1) & 1] == []
    assert run.finish() == 5
