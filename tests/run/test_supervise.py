"""The wrapped command's end, its descendants, and what is told of them."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from run.helpers import Stage, appears, driver_argv, eventually, gone, is_alive, reaches_state, state_of

PYTHON = sys.executable


def script(folder: Path, name: str, text: str, mode: int = 0o755) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("code", [0, 1, 7, 126, 127, 255])
def test_exit_code_is_the_commands(stage: Stage, code: int) -> None:
    run, out, err = stage.run(["sh", "-c", f"exit {code}"])
    assert (run.code(), out, err) == (code, b"", b"")
    assert run.outcome()["exit_code"] == code
    assert run.outcome()["signal"] is None
    assert run.outcome()["exits"] == ["end"]


@pytest.mark.parametrize("signo", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_killed_command_gives_128_and_the_signal(stage: Stage, signo: signal.Signals) -> None:
    run, _, _ = stage.run(["sh", "-c", f"kill -{signo.value} $$"])
    assert run.code() == 128 + signo
    assert run.outcome()["signal"] == signo


def test_absent_command(stage: Stage) -> None:
    run, out, err = stage.run(["no-such-command-anywhere"])
    assert (run.code(), out) == (127, b"")
    assert err == b"aipower-run: no-such-command-anywhere: command not found\n"


def test_absent_file(stage: Stage) -> None:
    run, _, err = stage.run(["./absent"])
    assert (run.code(), err) == (127, b"aipower-run: ./absent: No such file or directory\n")


def test_absent_interpreter(stage: Stage, tmp_path: Path) -> None:
    path = script(tmp_path, "odd", "#!/no/such/interpreter\n")
    run, _, err = stage.run([path])
    assert (run.code(), err) == (127, f"aipower-run: {path}: its interpreter was not found\n".encode())


def test_directory(stage: Stage) -> None:
    run, _, err = stage.run(["/"])
    assert (run.code(), err) == (126, b"aipower-run: /: Is a directory\n")


def test_file_without_the_x_bit(stage: Stage, tmp_path: Path) -> None:
    path = script(tmp_path, "plain", "#!/bin/sh\n", 0o644)
    run, _, err = stage.run([path])
    assert (run.code(), err) == (126, f"aipower-run: {path}: Permission denied\n".encode())


def test_script_without_a_first_line_is_run_by_sh(stage: Stage, tmp_path: Path) -> None:
    path = script(tmp_path, "bare", 'echo "$# $2"; exit 9\n')
    run, out, _ = stage.run([path, "a", "b c"])
    assert (run.code(), out) == (9, b"2 b c\n")


def test_relative_name_is_used_as_it_is(stage: Stage) -> None:
    folder = stage.folder()
    script(folder, "here", "#!/bin/sh\necho $0\n")
    run = stage.launch(driver_argv(folder, ["./here"]), folder, stdout=subprocess.PIPE)
    assert run.process.communicate()[0] == b"./here\n"


def test_parent_that_ignores_the_death_of_children(stage: Stage) -> None:
    run, _, _ = stage.run(
        ["sh", "-c", "sleep 0.1; exit 7"], before=["bash", "-c", "trap '' CHLD; exec \"$@\"", "bash"]
    )
    assert run.code() == 7


def test_witness_is_small_holds_nothing_and_ends_with_us(stage: Stage) -> None:
    run = stage.start(["sh", "-c", "until [ -e finish ]; do sleep 0.02; done"])
    witness = Path(f"/proc/{run.pid('witness')}")
    eventually(lambda: (witness / "comm").read_text() == "aipower-witness\n", "its name")
    assert [str(fd.readlink())[:7] for fd in (witness / "fd").iterdir()] == ["socket:"]
    assert (witness / "cwd").readlink() == Path("/")
    assert run.finish() == 0
    assert state_of(run.pid("witness")) == ""


def test_cpu_time_is_the_commands_and_not_ours(stage: Stage) -> None:
    started_s = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run, _, _ = stage.run(["true"])
    assert 0 <= run.outcome()["cpu_s"] < 0.05
    assert run.outcome()["max_rss_bytes"] > 100_000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime > started_s


BURN = f"{PYTHON} -c 'import time\nwhile time.process_time() < 0.5: pass'"


def test_cpu_time_of_children_and_of_orphans_is_counted_and_no_zombie_stays(stage: Stage) -> None:
    orphan = f"({BURN} & echo $! > orphan)"
    reaped = "while kill -0 $(cat orphan) 2>/dev/null; do sleep 0.01; done"  # a zombie could still be signalled
    run, _, _ = stage.run(["sh", "-c", f"{BURN}\n{orphan}\n{reaped}\nexit 6"])
    assert run.code() == 6
    assert 1.0 <= run.outcome()["cpu_s"] < 3.0
    assert run.outcome()["survivors"] == 0


def test_end_is_stamped_on_the_monotonic_clock(stage: Stage) -> None:
    before_s = time.monotonic()
    run, _, _ = stage.run(["true"])
    assert before_s < run.outcome()["ended_s"] < time.monotonic()


DAEMON = "setsid sh -c 'echo $$ > daemon; until [ -e finish ]; do sleep 0.02; done' >/dev/null 2>&1 &"
SURVIVOR = f"{DAEMON}\nuntil [ -s daemon ]; do sleep 0.01; done; exit 4"


def daemon_of(folder: Path) -> int:
    return int(appears(folder / "daemon").read_text())


def test_surviving_daemon_is_counted_and_left_alone(stage: Stage) -> None:
    run, _, _ = stage.run(["sh", "-c", SURVIVOR])
    assert run.code() == 4
    assert run.outcome()["survivors"] in (1, 2)  # with its sleep
    daemon = daemon_of(run.folder)
    assert is_alive(daemon)
    (run.folder / "finish").touch()
    gone(daemon)


def test_wait_all_waits_for_the_daemon(stage: Stage) -> None:
    run = stage.start(["sh", "-c", SURVIVOR], "--wait-all")
    gone(run.pid("command"))
    gone(run.pid("witness"))
    assert is_alive(daemon_of(run.folder))
    assert run.process.poll() is None
    assert run.finish() == 4
    assert run.outcome()["survivors"] == 0
    assert run.outcome()["exits"] == ["end"]


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_waiting_for_all_can_be_ended(stage: Stage, signo: signal.Signals) -> None:
    run = stage.start(["sh", "-c", SURVIVOR], "--wait-all")
    gone(run.pid("witness"))
    run.send(signo)
    assert run.code() == 4
    assert run.outcome()["survivors"] in (1, 2)
    assert is_alive(daemon_of(run.folder))


def test_other_signals_do_not_end_waiting_for_all_and_a_stop_stops(stage: Stage) -> None:
    run = stage.start(["sh", "-c", SURVIVOR], "--wait-all")
    gone(run.pid("witness"))
    run.send(signal.SIGUSR1)
    run.send(signal.SIGTSTP)
    reaches_state(run.pid("wrapper"), "T")
    run.send(signal.SIGCONT)
    reaches_state(run.pid("wrapper"), "S R")
    assert run.finish() == 4


def test_hundred_orphans_are_reaped_while_the_command_runs(stage: Stage) -> None:
    many = "for i in $(seq 100); do (true & ) ; done; touch ready; until [ -e finish ]; do sleep 0.02; done"
    run = stage.start(["bash", "-c", many])
    run.ready()
    wrapper = run.pid("wrapper")
    kept = {run.pid("command"), run.pid("witness")}
    children = Path(f"/proc/{wrapper}/task/{wrapper}/children")
    eventually(lambda: set(map(int, children.read_text().split())) == kept, "reaping")
    assert run.finish() == 0


LIFECYCLE = """
import signal
from aipower.run.supervise import prepare
before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
with prepare() as supervisor:
    assert signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
    try:
        supervisor.wait()
    except RuntimeError as error:
        print(error)
    signal.raise_signal(signal.SIGTERM)
assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
assert signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
"""


def test_everything_is_as_before_afterwards_and_a_late_signal_does_not_kill() -> None:
    done = subprocess.run([PYTHON, "-c", LIFECYCLE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "wait() needs a command: call spawn() first\n", "")


def test_outcome_is_complete(stage: Stage) -> None:
    run, _, _ = stage.run(["true"])
    outcome = json.loads((run.folder / "outcome.json").read_text())
    assert sorted(outcome) == [
        "cpu_s", "ended_s", "exit_code", "exits", "max_rss_bytes", "signal", "survivors",
    ]  # fmt: skip
