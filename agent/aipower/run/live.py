"""`--live`: one line that says what the devices draw while the command runs, on a terminal that is free for it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from typing import Protocol

from aipower.record.wording import duration, joules
from aipower.run.console import complain
from aipower.run.link import Link, LinkError, reach

PERIOD_S = 1.0
FIRST_S = 0.5
USUAL_COLUMNS = 80
"""Of a terminal that does not know its size."""
TERMINAL = "/dev/tty"
ERASE = "\r\x1b[K"
"""To the first column, and erase to the end of the line (ECMA-48 EL)."""
BUSY = "the command has the terminal; to see a status line, give its output another place: --live … > log 2>&1"

State = list[tuple[str, float | None, float]]
"""Label, watts now, joules so far."""


class Live(Protocol):
    """A measurement that can be looked at."""

    run_id: str

    def live(self) -> State:
        """Its devices."""
        ...


@contextlib.contextmanager
def status_line(measurement: Live, *, free: bool) -> Iterator[None]:
    """Show the line until the block is left.

    Where the terminal is not `free`, as the command's output or errors go there, a note says so.
    """
    terminal = _terminal() if free else None
    if terminal is None:
        complain(f"aipower-run: --live: {BUSY}")
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_show, args=(measurement, terminal, over), name="aipower-live", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PERIOD_S)
        _write(terminal, ERASE)
        os.close(terminal)


def _terminal() -> int | None:
    """The controlling terminal; None where there is none, or one that cannot erase."""
    if os.environ.get("TERM", "dumb") in ("", "dumb"):
        return None
    try:
        return os.open(TERMINAL, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None


def _show(measurement: Live, terminal: int, over: threading.Event) -> None:
    began_s = time.monotonic()
    wait_s = FIRST_S
    agent = _Agent(measurement.run_id)
    while not over.wait(wait_s):
        state = measurement.live() or agent.state()
        _write(terminal, ERASE + line(state, time.monotonic() - began_s, _columns(terminal)))
        wait_s = PERIOD_S
    agent.close()


def line(state: State, age_s: float, columns: int) -> str:
    """The status line, cut to `columns`."""
    parts = [f"{label} {_power(power_w)}{joules(energy_j)}" for label, power_w, energy_j in state]
    text = f"aipower: {duration(age_s)}  {'  '.join(parts) or 'no sensor has told anything yet'}"
    return text[: max(10, columns - 1)]


def _power(power_w: float | None) -> str:
    return "" if power_w is None else f"{power_w:.0f} W "


def _columns(terminal: int) -> int:
    try:
        return os.get_terminal_size(terminal).columns or USUAL_COLUMNS
    except OSError:
        return USUAL_COLUMNS


def _write(terminal: int, text: str) -> None:
    with contextlib.suppress(OSError):  # a terminal that is stopped or gone
        os.write(terminal, text.encode())


class _Agent:
    """Asks the machine's agent how the run does, by a connection of its own."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._link: Link | None = None

    def state(self) -> State:
        """What the run has used of each device; empty where the agent does not say."""
        try:
            if self._link is None:
                connection = reach(os.environ)
                if connection is None:
                    return []
                self._link = Link(connection)
            return [(device, None, energy_uj / 1e6) for device, energy_uj in self._link.read(self._run_id).items()]
        except LinkError:
            self.close()
            return []

    def close(self) -> None:
        """Hang up."""
        if self._link is not None:
            self._link.close()
            self._link = None
