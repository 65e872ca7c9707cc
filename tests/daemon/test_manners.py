"""The real `aipower agent` as a service: what systemd hears, reloads, signals, and a log that nobody reads."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aipower.daemon.service.signals import ECHO_S
from daemon.agents import LIMIT_S, agent

FAKE = ("--sensors", "fake")
SOON_S = 8.0
"""An end takes five seconds at most; the rest is for a machine that is busy with other things."""


def wait_until(happens: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not happens():
        assert time.monotonic() < deadline_s, f"never: {what}"
        time.sleep(0.05)


class Systemd:
    """Listens where the agent tells how it is."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[str] = []
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(LIMIT_S)

    def until(self, start: str) -> str:
        """The next assignment that begins with `start`."""
        while True:
            lines = self._socket.recv(4096).decode().split("\n")
            self.heard += lines
            for line in lines:
                if line.startswith(start):
                    return line

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    made = Systemd(tmp_path)
    yield made
    made.close()


def test_systemd_hears_of_the_start_of_life_of_a_reload_and_of_the_end(tmp_path: Path, systemd: Systemd) -> None:
    environ = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "1000000"}
    with agent(tmp_path, *FAKE, env=environ) as running:
        systemd.until("READY=1")
        running.until_healthy()
        assert systemd.until("STATUS=2 GPUs, ").endswith("W")
        for _ in range(3):
            systemd.until("WATCHDOG=1")
        began_s = time.monotonic()
        running.process.send_signal(signal.SIGHUP)
        systemd.until("RELOADING=1")
        told_usec = int(systemd.heard[-1].removeprefix("MONOTONIC_USEC="))
        assert began_s <= told_usec / 1e6 <= time.monotonic()
        systemd.until("READY=1")
        running.process.terminate()
        systemd.until("STOPPING=1")
        assert running.process.wait(LIMIT_S) == 0


def test_a_node_without_sensors_gets_ready(tmp_path: Path, systemd: Systemd) -> None:
    environ = {"NOTIFY_SOCKET": systemd.address, "LD_LIBRARY_PATH": "/nonexistent"}
    with agent(tmp_path, env=environ):
        systemd.until("READY=1")
        assert systemd.until("STATUS=nothing to measure")


def test_a_good_file_is_in_force_without_a_restart_and_a_bad_one_changes_nothing(
    tmp_path: Path, systemd: Systemd
) -> None:
    path = tmp_path / "aipower.toml"
    path.write_text("retention_s = 50\n")
    flags = ("--config", str(path), "--retention-s", "100")
    with agent(tmp_path, *FAKE, *flags, env={"NOTIFY_SOCKET": systemd.address}) as running:
        systemd.until("READY=1")
        path.write_text('retention_s = 70\nflush_interval_s = 20\nlog_level = "debug"\ninterval_s = 0.2\n')
        running.process.send_signal(signal.SIGHUP)
        running.until_logged("flush_interval_s: takes effect at the next start")
        # The flag wins over the file, before and after.
        assert "reloaded: interval_s = 0.2, log_level = debug\n" in running.log.read_text()
        path.write_text("interval_s = 0.2\nlog_level = 3\n")
        running.process.send_signal(signal.SIGHUP)
        running.until_logged("reload refused")
        line = next(line for line in running.log.read_text().splitlines() if "reload refused" in line)
        assert f"{path}:2: log_level = 3: expected one of" in line
        systemd.until("RELOADING=1")
        assert systemd.until("STATUS=").endswith("the last reload was refused, see the log")
        assert '"ok"' in running.page("/healthz")
        assert "Traceback" not in running.log.read_text()


def test_other_signals_are_harmless(tmp_path: Path) -> None:
    with agent(tmp_path, *FAKE) as running:
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
            running.process.send_signal(number)
        running.until_healthy()
        running.process.terminate()
        assert running.process.wait(LIMIT_S) == 0


HUNG = """
import time
from aipower.daemon.agent import leave, set_up_log
from aipower.daemon.service.signals import hearing
set_up_log("info")
with hearing(lambda ask: print(ask, flush=True), lambda: leave(0, "cut short")):
    print("up", flush=True)
    while True:
        time.sleep(600)
"""


@contextmanager
def hung() -> Iterator[subprocess.Popen[str]]:
    """An agent whose main thread does nothing any more."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HUNG], stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


def test_a_stop_is_cut_short_whatever_the_main_thread_does() -> None:
    with hung() as process:
        process.send_signal(signal.SIGHUP)
        assert process.stdout is not None
        assert process.stdout.readline() == "Ask.RELOAD\n"
        began_s = time.monotonic()
        process.terminate()
        assert process.stdout.readline() == "Ask.STOP\n"
        assert process.wait(LIMIT_S) == 0
        assert time.monotonic() - began_s < SOON_S
        assert process.stderr is not None
        assert "cut short" in process.stderr.read()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_the_second_wish_to_stop_is_granted_at_once(second: int) -> None:
    with hung() as process:
        process.terminate()
        assert process.stdout is not None
        assert process.stdout.readline() == "Ask.STOP\n"
        time.sleep(2 * ECHO_S)  # sooner it would be the same wish
        began_s = time.monotonic()
        process.send_signal(second)
        assert process.wait(LIMIT_S) == 0
        assert time.monotonic() - began_s < 3.5


@pytest.mark.parametrize("delay_s", [0.0, 0.2, 0.5, 1.0])
def test_a_stop_during_a_reload(delay_s: float, tmp_path: Path) -> None:
    with agent(tmp_path, *FAKE) as running:
        for _ in range(50):
            running.process.send_signal(signal.SIGHUP)
        time.sleep(delay_s)
        running.process.terminate()
        assert running.process.wait(SOON_S * 2) == 0
        assert "Traceback" not in running.log.read_text()


def test_an_agent_ends_with_the_terminal_that_it_was_started_from(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()

    def adopt() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    argv = [sys.executable, "-m", "aipower", "agent", *FAKE, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=adopt, cwd=tmp_path) as process:  # noqa: PLW1509 - the child has one thread
        try:
            os.close(theirs)
            seen = b""
            while b"serves http" not in seen:
                seen += os.read(ours, 4096)
            os.close(ours)
            assert process.wait(LIMIT_S) == 0
        finally:
            process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def healthy(port: int) -> bool:
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer,
    ):
        return b'"ok"' in answer.read()
    return False


@contextmanager
def full_pipe() -> Iterator[int]:
    """The writing end of a pipe that has no room and that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    try:
        yield writer
    finally:
        os.close(writer)
        os.close(reader)


def test_a_log_that_nobody_reads_holds_up_nothing() -> None:
    port = free_port()
    argv = [sys.executable, "-m", "aipower", "agent", *FAKE, "--listen", f"127.0.0.1:{port}"]
    with full_pipe() as writer, subprocess.Popen(argv, stderr=writer) as process:
        try:
            wait_until(lambda: healthy(port), "healthy")
            process.send_signal(signal.SIGHUP)
            process.terminate()
            began_s = time.monotonic()
            assert process.wait(LIMIT_S) == 0
            assert time.monotonic() - began_s < SOON_S
        finally:
            process.kill()


@pytest.mark.parametrize("redirection", ["2>&-", "<&- >&- 2>&-"])
def test_an_agent_without_stderr_does_its_work(redirection: str) -> None:
    port = free_port()
    shell = f'exec "$0" "$@" {redirection}'
    argv = ["sh", "-c", shell, sys.executable, "-m", "aipower", "agent", *FAKE, "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen(argv) as process:
        try:
            wait_until(lambda: healthy(port), "healthy")
            process.terminate()
            assert process.wait(LIMIT_S) == 0
        finally:
            process.kill()
