"""A run that the machine's agent measures; if the agent dies, the run goes on and is measured here from then on."""

from __future__ import annotations

import time

from aipower.run.books import Books
from aipower.run.link import BOOKS_S, LinkError

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from aipower.run.ear import Ear
    from aipower.run.link import Link
    from aipower.run.measured_here import MeasuredHere
    from aipower.run.options import RunOptions
    from aipower.run.supervise import Outcome
    from aipower.run.wire import Field

HAND_ON_S = 0.1
"""Pause between two messages to the agent, however often the programs tell something."""
MOST_HEARD = 1 << 22
LATE_S = 15.0
"""How long the end waits for our own sensors, where the agent has died and they are still being found."""


class MeasuredByAgent:
    """Tells the agent of the run's start and end, and takes over if it dies meanwhile.

    Of a command that has ended before `goes_on` was called there is nothing to take over: it does without a thread.
    """

    def __init__(self, link: Link, run_id: str, options: RunOptions) -> None:
        self.run_id = run_id
        self._link = link
        self._options = options
        self._over = False
        self._watching: threading.Thread | None = None
        self._spoken: threading.Event | None = None
        """Set once the agent has said something to the thread that watches."""
        self._lost: LinkError | None = None
        self._here: MeasuredHere | None = None
        self._pid = 0
        self._started_s = 0.0
        self._ended_s = 0.0
        self._helpers: frozenset[int] = frozenset()
        self._ear: Ear | None = None
        self._heard = bytearray()
        """All that was told, for the measurement that takes over."""

    def listen(self, ear: Ear) -> None:
        """Hear by `ear` what the command's programs tell of their phases, and hand it on."""
        self._ear = ear

    def live(self) -> list[tuple[str, float | None, float]]:
        """Nothing: what the agent knows of a run while it lasts is asked for by aipower.run.live."""
        return []

    def spawned(self, pid: int, started_s: float, helpers: frozenset[int]) -> None:
        """The command has begun."""
        self._pid, self._started_s, self._helpers = pid, started_s, helpers
        try:
            self._link.start(pid, started_s, helpers)
        except LinkError as error:
            self._lost = error

    def goes_on(self) -> None:
        """The command is no short one: see to what the agent and the programs say while it runs."""
        import threading  # noqa: PLC0415 - see the class; and in the main thread, for which it takes the first importer

        spoken = self._spoken = threading.Event()
        self._watching = threading.Thread(target=self._watch, args=(spoken,), name="aipower-agent", daemon=True)
        self._watching.start()

    def ended(self, at_s: float) -> None:
        """The command has ended."""
        self._ended_s, self._over = at_s, True
        if self._here is not None:
            self._here.ended(at_s)

    def books(self, outcome: Outcome, started_unix_s: float, words: Mapping[str, Field], *, record: bool) -> Books:
        """Record and report; what was lost with the agent is told in them."""
        if self._lost is None:
            try:
                self._hand_on()
                self._ask(outcome, started_unix_s, words, record=record)
                if self._answered():
                    return self._received()
            except LinkError as error:
                self._lost = self._lost or error
        self._link.close()
        if self._watching is not None:
            self._watching.join(LATE_S)
        return self._own_books(outcome, started_unix_s, words, record=record)

    def _ask(self, outcome: Outcome, started_unix_s: float, words: Mapping[str, Field], *, record: bool) -> None:
        self._link.ask_for_books(
            {
                **words,
                "ended_s": self._ended_s,
                "started_unix_s": started_unix_s,
                "exit_code": outcome.exit_code,
                "cpu_s": outcome.cpu_s,
                "max_rss_bytes": outcome.max_rss_bytes,
                "survivors": outcome.survivors,
                "command": self._options.command,
                "record": record,
                "report": not self._options.quiet,
            }
        )

    def _answered(self) -> bool:
        """False where the agent says nothing.

        Raises:
            LinkError: It has left.
        """
        if self._spoken is not None:
            return self._spoken.wait(BOOKS_S) and self._lost is None
        self._link.watch(BOOKS_S)
        return True

    def _received(self) -> Books:
        record, report = self._link.books()
        self._link.close()
        return Books(record, report.decode(errors="replace"))

    def _watch(self, spoken: threading.Event) -> None:
        """Wait for the agent to say something. Before the end that can only be that it is lost."""
        try:
            if self._lost is None:
                self._wait_for_word()
                self._link.watch()
                if not self._over:
                    self._link.books()  # a refusal is raised from here
        except LinkError as error:
            self._lost = self._lost or error
        if self._lost is not None:
            self._take_over()
        spoken.set()

    def _wait_for_word(self) -> None:
        """Block until the agent says something; hand on what the programs tell, a few times a second at most."""
        import select  # noqa: PLC0415 - a short run does without

        while self._ear is not None and not self._over:
            agent, programs = self._link.fileno(), self._ear.fileno()
            if agent in select.select([agent, programs], [], [])[0]:
                return
            self._hand_on()
            if select.select([agent], [], [], HAND_ON_S)[0]:
                return

    def _hand_on(self) -> None:
        """Tell the agent what the programs have told.

        Raises:
            LinkError: It has left.
        """
        heard = self._ear.read() if self._ear is not None else b""
        if len(self._heard) < MOST_HEARD:
            self._heard += heard
        self._link.mark(heard)

    def _hear_all(self) -> bytes:
        """All that was ever told, once, for the measurement that takes over."""
        heard, self._heard = bytes(self._heard), bytearray()
        return heard + (self._ear.read() if self._ear is not None else b"")

    def _take_over(self) -> None:
        if self._over:
            return
        from aipower.run.measured_here import MeasuredHere  # noqa: PLC0415 - hardly ever needed

        here = MeasuredHere(self._options, self.run_id)
        here.trouble("agent_lost", str(self._lost), time.monotonic() - self._started_s)
        here.hear(self._hear_all)
        here.join(self._pid, self._started_s, self._helpers)
        self._here = here
        if self._over:
            here.ended(self._ended_s)

    def _own_books(
        self, outcome: Outcome, started_unix_s: float, words: Mapping[str, Field], *, record: bool
    ) -> Books:
        from aipower.run.measured_here import MeasuredHere  # noqa: PLC0415 - hardly ever needed

        here = self._here
        if here is None:
            here = MeasuredHere(self._options, self.run_id)
            here.trouble("agent_lost", f"{self._lost or 'the agent does not answer'}; nothing was measured", 0.0)
            here.never(self._started_s, self._ended_s)
        return here.books(outcome, started_unix_s, words, record=record)
