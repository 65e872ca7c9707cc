"""The real command on a real terminal: keys, size, signals, and that the terminal is given back."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from run.helpers import LIMIT_S, eventually, reaches_state
from run.terminal import Terminal
from sensors.powercap import put_zone

TOP = [sys.executable, "-m", "aipower", "top", "--sensors", "fake:2"]
LEAVE = b"\x1b[?1049l"
MOVE = re.compile(rb"\x1b\[(\d+);1H\x1b\[0m\x1b\[2K([^\x1b]*(?:\x1b\[[0-9;]*m[^\x1b]*)*)")
SIZED = """
import fcntl, os, struct, sys, termios
fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", int(sys.argv[1]), int(sys.argv[2]), 0, 0))
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""Becomes a command on a terminal of a size that it finds from its first moment on."""
STYLE = re.compile(rb"\x1b\[[0-9;]*m")


class Screen(Terminal):
    """What `aipower top` shows, line by line."""

    def __init__(self, argv: Sequence[str], folder: Path, rows: int = 24, columns: int = 80, **env: str) -> None:
        ours = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        variables = {**ours, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONUTF8": "1", **env}
        super().__init__([sys.executable, "-c", SIZED, str(rows), str(columns), *argv], folder, variables)
        self.lines: dict[int, str] = {}

    def look(self) -> str:
        """The screen as it is now."""
        while select.select([self.master], [], [], 0.02)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break  # the command has ended
            self.seen += data
        for move in MOVE.finditer(self.seen):
            self.lines[int(move[1])] = STYLE.sub(b"", move[2]).decode(errors="replace")
        return "\n".join(self.lines.get(number, "") for number in range(1, max(self.lines, default=0) + 1))

    def until(self, is_there: Callable[[str], object], what: str) -> str:
        """The screen once `is_there` is true of it."""
        deadline_s = time.monotonic() + LIMIT_S
        while not is_there(text := self.look()):
            assert time.monotonic() < deadline_s, f"never came: {what}\n{text}"
            assert self.leader.poll() is None, f"ended: {self.leader.returncode}\n{self.seen!r}"
        return text

    def until_shown(self, word: str) -> str:
        return self.until(lambda text: word in text, word)

    def finish(self) -> int:
        """The exit code; what is still written is read, or the command could not end."""
        eventually(lambda: (self.look(), self.leader.poll() is not None)[1], "the end")
        self.look()
        return self.code()


Open = Callable[..., Screen]


@pytest.fixture
def top(tmp_path: Path) -> Iterator[Open]:
    screens: list[Screen] = []

    def start(*flags: str, rows: int = 24, columns: int = 80, **env: str) -> Screen:
        screens.append(Screen([*TOP, *flags], tmp_path, rows, columns, **env))
        return screens[-1]

    yield start
    for screen in screens:
        screen.close()


def modes(screen: Screen) -> list[Any]:
    return termios.tcgetattr(screen.master)


def echoes(screen: Screen) -> bool:
    return bool(modes(screen)[3] & termios.ECHO)


def test_shows_devices_and_processes_and_q_gives_the_terminal_back(top: Open) -> None:
    screen = top()
    before = modes(screen)
    text = screen.until_shown("train.py")
    assert "SIMULATED" in text
    assert "GPU 0" in text
    assert "total" in text
    assert not echoes(screen)
    screen.type(b"q")
    assert screen.finish() == 0
    assert modes(screen) == before
    assert screen.seen.rstrip().endswith(LEAVE)
    assert b"\x1b[?25h" in screen.seen


@pytest.mark.parametrize("key", [b"\x03", b"hq\x03"])
def test_ctrl_c_ends_it(top: Open, key: bytes) -> None:
    screen = top()
    screen.until_shown("looking for sensors")
    screen.type(key)
    assert screen.finish() == 0, screen.seen
    assert echoes(screen)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_as_a_shell_expects(top: Open, number: int) -> None:
    screen = top()
    before = modes(screen)
    screen.until_shown("train.py")
    screen.leader.send_signal(number)
    assert screen.finish() == -number
    assert modes(screen) == before
    assert screen.seen.rstrip().endswith(LEAVE)


def test_keys(top: Open) -> None:
    screen = top()
    screen.until_shown("train.py")
    screen.type(b"j")
    screen.until_shown("ENERGY▼")
    screen.type(b"r")
    screen.until_shown("ENERGY▲")
    screen.type(b"<")
    screen.until_shown("W▼")
    screen.type(b"/vllm")
    screen.until_shown("filter: vllm")
    text = screen.until(lambda text: "train.py" not in text, "the filtered rows")
    assert "hidden" in text
    screen.type(b"\r")
    screen.until_shown("/vllm  ")
    screen.type(b"\x1b")
    screen.until_shown("train.py")
    screen.type(b"d")
    screen.until_shown("GPU 0 only")
    screen.type(b" ")
    screen.until_shown("PAUSED")
    screen.type(b"h")
    screen.until_shown("choose the column")
    screen.type(b"x")
    screen.until_shown("PAUSED")


def shown(text: str) -> tuple[int, int]:
    """The place of the first process on the screen, and how many there are; zeros where all fit."""
    found = re.search(r"(\d+)-\d+ of (\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def test_arrows_scroll(top: Open) -> None:
    """There are the simulated processes, we and the test: more than fit, of which a page goes as far as there are."""
    screen = top("--sort", "pid", rows=12)
    screen.until(lambda text: shown(text)[0] == 1 and shown(text)[1] >= 6, "six processes")
    screen.type(b"\x1b[B")
    screen.until(lambda text: shown(text)[0] == 2, "the next process")
    screen.type(b"\x1b[6~")
    screen.until(lambda text: shown(text)[0] > 2, "the next page")
    screen.type(b"\x1b[H")
    screen.until(lambda text: shown(text)[0] == 1, "the beginning")


def test_new_size_is_taken_at_once(top: Open) -> None:
    screen = top()
    screen.until_shown("train.py")
    assert "GPU J" not in screen.look()
    screen.lines.clear()
    screen.seen = b""
    screen.resize(50, 160)
    text = screen.until_shown("GPU J")
    assert text.count("\n") == 49
    screen.lines.clear()
    screen.seen = b""
    screen.resize(10, 30)
    screen.until(lambda text: text.count("\n") == 9 and "total" in text, "the small screen")


@pytest.mark.parametrize("how", ["Ctrl-Z", "SIGSTOP"])
def test_stop_and_fg(tmp_path: Path, how: str) -> None:
    screen = Screen(["bash", "--norc", "--noprofile", "--noediting", "-i"], tmp_path, PS1="")
    try:
        before = modes(screen)
        pid = _started_by_shell(screen, tmp_path)
        screen.until_shown("train.py")
        if how == "Ctrl-Z":
            screen.type(b"\x1a")
        else:
            os.kill(pid, signal.SIGSTOP)
        reaches_state(pid, "T")
        eventually(lambda: echoes(screen) == bool(before[3] & termios.ECHO), "the terminal as it was")
        screen.seen = b""
        screen.lines.clear()
        screen.type(b"fg\n")
        screen.until_shown("train.py")
        eventually(lambda: not echoes(screen), "keys without echo")
        screen.type(b"q")
        eventually(lambda: (screen.look(), LEAVE in screen.seen)[1], "the end")
        eventually(lambda: echoes(screen) == bool(before[3] & termios.ECHO), "the terminal as it was")
    finally:
        screen.close()


def _started_by_shell(screen: Screen, folder: Path) -> int:
    pid_file = folder / "pid"
    screen.type(f"sh -c 'echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec {' '.join(TOP)}'\n".encode())
    eventually(pid_file.exists, "the command")
    return int(pid_file.read_text())


def test_terminal_that_goes_away_ends_it(top: Open) -> None:
    screen = top()
    screen.until_shown("train.py")
    screen.hang_up()
    assert screen.code() in (-signal.SIGHUP, 1)


def test_an_error_inside_gives_the_terminal_back(tmp_path: Path) -> None:
    """A sensor that was named and is not there: the screen is open when that is found."""
    screen = Screen([*TOP[:-1], "rapl"], tmp_path, AIPOWER_POWERCAP_ROOT=str(tmp_path))
    try:
        before = modes(screen)
        assert screen.finish() == 2
        assert modes(screen) == before
        assert b"aipower: --sensors rapl" in screen.seen.partition(LEAVE)[2]
    finally:
        screen.close()


def test_a_driver_that_hangs_leaves_the_keys_alive(tmp_path: Path) -> None:
    """The open of a FIFO that nobody writes to does not come back."""
    zone = put_zone(tmp_path / "intel-rapl:0", "package-0")
    (zone / "energy_uj").unlink()
    os.mkfifo(zone / "energy_uj")
    screen = Screen([*TOP[:-2], "--no-agent"], tmp_path, AIPOWER_POWERCAP_ROOT=str(tmp_path))
    try:
        screen.until_shown("CPU (RAPL) has not answered yet")
        screen.type(b"h")
        screen.until_shown("choose the column")
        screen.type(b"xq")
        assert screen.finish() == 0
    finally:
        screen.close()


def test_no_colour_is_obeyed(top: Open) -> None:
    screen = top(NO_COLOR="1")
    screen.until_shown("train.py")
    assert not re.search(rb"\x1b\[[0-9;]*[34][0-9]m", screen.seen)


def test_ascii_terminal_gets_ascii(top: Open) -> None:
    screen = top(PYTHONUTF8="0", LANG="C", LC_ALL="C", PYTHONIOENCODING="ascii")
    screen.until_shown("train.py")
    assert screen.seen.isascii()


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_draw_gets_one_line(top: Open, term: str) -> None:
    screen = top(TERM=term)
    assert screen.finish() == 2
    assert b"--once" in screen.seen
    assert screen.seen.count(b"\n") == 1
    assert b"\x1b" not in screen.seen


def run(*flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **env}
    argv = [sys.executable, "-m", "aipower", "top", *flags]
    return subprocess.run(argv, capture_output=True, text=True, env=variables, timeout=LIMIT_S, check=False)


def test_no_terminal_at_all_gets_one_line() -> None:
    found = run("--sensors", "fake:2")
    assert (found.returncode, found.stdout) == (2, "")
    assert "aipower top --once" in found.stderr
    assert found.stderr.count("\n") == 1
