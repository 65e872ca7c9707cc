"""A run that the machine's agent measures; if the agent dies, the run goes on and is measured here from then on."""

from __future__ import annotations

import threading
import time

from aipower.run.books import Books
from aipower.run.link import BOOKS_S, LinkError

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from aipower.run.link import Link
    from aipower.run.measured_here import MeasuredHere
    from aipower.run.options import RunOptions
    from aipower.run.supervise import Outcome

LATE_S = 15.0
"""How long the end waits for our own sensors, where the agent has died and they are still being found."""


class MeasuredByAgent:
    """Tells the agent of the run's start and end, and takes over if it dies meanwhile."""

    def __init__(self, link: Link, run_id: str, options: RunOptions) -> None:
        self.run_id = run_id
        self._link = link
        self._options = options
        self._over = False
        self._spoken = threading.Event()
        self._lost: LinkError | None = None
        self._here: MeasuredHere | None = None
        self._pid = 0
        self._started_s = 0.0
        self._ended_s = 0.0
        self._helpers: frozenset[int] = frozenset()
        self._thread = threading.Thread(target=self._watch, name="aipower-agent", daemon=True)

    def spawned(self, pid: int, started_s: float, helpers: frozenset[int]) -> None:
        """The command has begun."""
        self._pid, self._started_s, self._helpers = pid, started_s, helpers
        try:
            self._link.start(pid, started_s, helpers)
        except LinkError as error:
            self._lost = error
        self._thread.start()

    def ended(self, at_s: float) -> None:
        """The command has ended."""
        self._ended_s, self._over = at_s, True
        if self._here is not None:
            self._here.ended(at_s)

    def books(self, outcome: Outcome, started_unix_s: float) -> Books:
        """Record and report; what was lost with the agent is told in them."""
        if self._lost is None:
            try:
                self._ask(outcome, started_unix_s)
                if self._spoken.wait(BOOKS_S) and self._lost is None:
                    return self._received()
            except LinkError as error:
                self._lost = self._lost or error
        self._link.close()
        self._thread.join(LATE_S)
        return self._own_books(outcome, started_unix_s)

    def _ask(self, outcome: Outcome, started_unix_s: float) -> None:
        self._link.ask_for_books(
            {
                "ended_s": self._ended_s,
                "started_unix_s": started_unix_s,
                "exit_code": outcome.exit_code,
                "cpu_s": outcome.cpu_s,
                "max_rss_bytes": outcome.max_rss_bytes,
                "survivors": outcome.survivors,
                "command": self._options.command,
                "record": self._options.json is not None,
                "report": not self._options.quiet,
                "verbose": self._options.verbose,
            }
        )

    def _received(self) -> Books:
        record, report = self._link.books()
        self._link.close()
        return Books(record, report.decode(errors="replace"))

    def _watch(self) -> None:
        """Wait for the agent to say something. Before the end that can only be that it is lost."""
        try:
            if self._lost is None:
                self._link.watch()
                if not self._over:
                    self._link.books()  # a refusal is raised from here
        except LinkError as error:
            self._lost = self._lost or error
        if self._lost is not None:
            self._take_over()
        self._spoken.set()

    def _take_over(self) -> None:
        if self._over:
            return
        from aipower.run.measured_here import MeasuredHere  # noqa: PLC0415 - hardly ever needed

        here = MeasuredHere(self._options, self.run_id)
        here.trouble("agent_lost", str(self._lost), time.monotonic() - self._started_s)
        here.join(self._pid, self._started_s, self._helpers)
        self._here = here
        if self._over:
            here.ended(self._ended_s)

    def _own_books(self, outcome: Outcome, started_unix_s: float) -> Books:
        from aipower.run.measured_here import MeasuredHere  # noqa: PLC0415 - hardly ever needed

        here = self._here
        if here is None:
            here = MeasuredHere(self._options, self.run_id)
            here.trouble("agent_lost", f"{self._lost or 'the agent does not answer'}; nothing was measured", 0.0)
            here.never(self._started_s, self._ended_s)
        return here.books(outcome, started_unix_s)
