"""The status line of `--live`: only on a terminal that the command does not use."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from aipower.run.live import line
from daemon.agents import agent
from run.aipower_run import argv, environment
from run.helpers import eventually
from run.terminal import Terminal


def test_the_line_shows_what_devices_draw_and_is_erased(tmp_path: Path) -> None:
    words = " ".join(f"'{word}'" for word in argv("--live", "--sensors", "fake:1", sys.executable, "-c"))
    command = f"{words} 'import time; time.sleep(3)' > log 2>&1; echo over"
    terminal = Terminal(["sh", "-c", command], tmp_path, env={**environment(), "TERM": "xterm"})
    try:
        terminal.expect(b"GPU 0")
        terminal.expect(b"over")
    finally:
        terminal.close()
    assert b"\r\x1b[Kaipower: " in terminal.seen
    assert terminal.seen.rpartition(b"\r\x1b[K")[2].strip() == b"over"
    log = (tmp_path / "log").read_text()
    assert "total" in log
    assert "\x1b" not in log


def test_an_agent_is_asked_how_the_run_does(tmp_path: Path) -> None:
    place = {"AIPOWER_SOCKET": str(tmp_path / "agent.sock"), "TERM": "xterm"}
    with agent(tmp_path, "--sensors", "fake:1", env=place) as running:
        running.until_healthy()
        eventually(Path(place["AIPOWER_SOCKET"]).exists, "the socket")
        words = shlex.join(argv("--live", sys.executable, "-c", "import time; time.sleep(2)"))
        terminal = Terminal(["sh", "-c", f"{words} > log 2>&1; echo over"], tmp_path, env=environment(place))
        try:
            terminal.expect(b"CPU 0")
            terminal.expect(b"over")
        finally:
            terminal.close()
    assert "total" in (tmp_path / "log").read_text()


def test_where_the_command_has_the_terminal_a_note_says_so(tmp_path: Path) -> None:
    terminal = Terminal(
        argv("--live", "--sensors", "fake:1", "sleep", "1"), tmp_path, env={**environment(), "TERM": "xterm"}
    )
    try:
        terminal.expect(b"--live: the command has the terminal")
        terminal.expect(b"total")
    finally:
        terminal.close()
    assert b"\x1b[K" not in terminal.seen


def test_the_line_fits() -> None:
    state = [("GPU 0", 288.4, 670.3), ("CPU 0", None, 1e7)]
    assert line(state, 61.0, 200) == "aipower: 1 min 01 s  GPU 0 288 W 670.3 J  CPU 0 10.00 MJ"
    assert len(line(state, 61.0, 30)) == 29
    assert line([], 1.0, 80).endswith("no sensor has told anything yet")
