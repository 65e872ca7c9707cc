"""Runs one command as if nobody stood between it and its shell, and says how it ended.

The command lives in our process group and session and has our descriptors, so a terminal, a pipeline, a
scheduler or a job-controlling shell meets it as it would meet the bare command. What reaches only us is
passed on. Nothing here knows of energy.

What it cannot do: give the command back a SIGPIPE, SIGXFSZ or SIGCHLD that was ignored before Python began
(Python takes the first two without a trace, the last we need), or pass on the value of a queued signal.
"""

from __future__ import annotations

import os
import time

from aipower.imports.lean import signal, suppress
from aipower.run.descriptors import inheritable_descriptors, keep_private, let_go
from aipower.run.linux import become_subreaper
from aipower.run.reaper import Reaper, count_descendants, stop_like
from aipower.run.relay import SI_KERNEL, Arrival, Relay
from aipower.run.spawn import CommandError, original_environment, spawn
from aipower.run.witness import Witness, start_witness

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from types import TracebackType
    from typing import Self

__all__ = ["SHELL_SIGNAL_BASE", "CommandError", "Outcome", "Supervisor", "hold", "prepare"]

_FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS)
"""Our own crashes: blocking them would silence faulthandler."""
RELAYED = frozenset(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, *_FAULTS}
_AWAITED = RELAYED | {signal.SIGCHLD}
_ENDING = frozenset((signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT))
_TERMINAL_STOPS = frozenset((signal.SIGTSTP, signal.SIGTTIN))
_MOST_AT_ONCE = 64
SHORT_S = 0.05
"""A command that ends sooner needs nothing that is only for the time while it runs."""
SHELL_SIGNAL_BASE = 128


class Outcome:
    """How the command ended."""

    __slots__ = ("cpu_s", "ended_s", "exit_code", "max_rss_bytes", "signal", "survivors")

    def __init__(
        self, *, exit_code: int, signal: int | None, ended_s: float, cpu_s: float, max_rss_bytes: int, survivors: int
    ) -> None:
        self.exit_code = exit_code
        """As a shell gives it: the command's own, or 128 + the signal that killed it."""
        self.signal = signal
        """The signal that killed it."""
        self.ended_s = ended_s
        """Monotonic time at which its end was seen."""
        self.cpu_s = cpu_s
        """User and system seconds of the command and of all its descendants that have ended."""
        self.max_rss_bytes = max_rss_bytes
        """The largest resident set of any one of these; never below our own, in which the command was a moment."""
        self.survivors = survivors
        """Descendants still alive; they are left alone."""


class Supervisor:
    """One command's supervisor, made by `hold` or `prepare`. A context manager, for the main thread only."""

    def __init__(self, mask: Collection[int], now_s: Callable[[], float]) -> None:
        self._mask = mask
        self._witness = Witness(0, None)
        self._now_s = now_s
        self._goes_on: Callable[[], None] = _nothing
        self._short_until_s = 0.0
        self._child_signal = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._inherited = inheritable_descriptors()
        self._command = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._witness.close()
        _discard_pending()
        signal.signal(signal.SIGCHLD, self._child_signal)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def post_witness(self) -> None:
        """Have signals watched, by a process that is forked: call this before there is a thread or a command."""
        self._witness = start_witness(RELAYED)

    @property
    def helpers(self) -> frozenset[int]:
        """Pids of our own helper processes, which are no part of what the command does."""
        return frozenset({self._witness.pid})

    def spawn(
        self,
        argv: Sequence[str],
        add_environment: Mapping[str, str] | None = None,
        hand_on: Collection[int] = frozenset(),
        without: Collection[str] = frozenset(),
    ) -> int:
        """The pid of the command `argv`, started with our environment and `add_environment`, `without` some variables.

        Of the descriptors that were opened here it gets those of `hand_on`.

        Afterwards our standard input and output are /dev/null and the other inherited descriptors are closed,
        except standard error: the command alone decides when a pipe ends.

        Raises:
            CommandError: It cannot be started; nothing was let go.
        """
        environment = original_environment()
        for name in without:
            environment.pop(os.fsencode(name), None)
        for name, value in (add_environment or {}).items():
            environment[os.fsencode(name)] = os.fsencode(value)
        keep_private(inheritable_descriptors() - self._inherited - frozenset(hand_on))
        self._command = spawn(argv, self._mask, environment)
        let_go(self._inherited)
        return self._command

    def wait(
        self,
        *,
        wait_all: bool = False,
        on_exit: Callable[[], None] = lambda: None,
        goes_on: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Block until the command, or with `wait_all` every descendant, has ended; relay signals meanwhile.

        `on_exit` is called as soon as the command's end has been seen, `goes_on` once if it takes longer than
        `SHORT_S` until all has ended. This process is stopped with all its
        threads while the command is. No other children may be started meanwhile: they would be reaped here.
        INT, TERM, HUP or QUIT ends the wait for the descendants; of those from the terminal, the second.

        Raises:
            RuntimeError: Nothing was spawned.
        """
        if not self._command:
            raise RuntimeError("wait() needs a command: call spawn() first")
        reaper = Reaper(self._command, self._witness, on_exit, self._now_s)
        self._goes_on, self._short_until_s = goes_on, self._now_s() + SHORT_S
        self._relay_until_end(reaper)
        self._witness.close()
        reaper.poll()
        if wait_all:
            self._wait_until_childless(reaper)
        return _outcome(reaper)

    def _relay_until_end(self, reaper: Reaper) -> None:
        relay = Relay(self._witness.collect, self._own_pids())
        while True:
            arrivals = self._next_signals()
            reaper.poll()
            if reaper.end is not None:
                return
            for signo in relay.to_forward(arrivals):
                self._forward(signo)
            if stopped_by := reaper.take_stop():
                self._witness.watch(self._command)
                stop_like(stopped_by)
                relay.refresh()

    def _wait_until_childless(self, reaper: Reaper) -> None:
        asked_by_terminal = False
        while not reaper.childless:
            for arrival in self._next_signals():
                if arrival.signo in _TERMINAL_STOPS:
                    stop_like(arrival.signo)
                if arrival.signo in _ENDING:
                    if arrival.code != SI_KERNEL or asked_by_terminal:
                        return
                    asked_by_terminal = True
            reaper.poll()

    def _next_signals(self) -> list[Arrival]:
        """Wait for a signal; all that are pending, but for SIGCHLD, which has no news of its own."""
        infos = [self._next_signal()]
        while len(infos) < _MOST_AT_ONCE and (info := signal.sigtimedwait(_AWAITED, 0)) is not None:
            infos.append(info)
        arrivals = (Arrival(info.si_signo, info.si_code, info.si_pid) for info in infos)
        return [arrival for arrival in arrivals if arrival.signo != signal.SIGCHLD]

    def _next_signal(self) -> signal.struct_siginfo:
        if self._goes_on is not _nothing:
            left_s = max(0.0, self._short_until_s - self._now_s())
            if (info := signal.sigtimedwait(_AWAITED, left_s)) is not None:
                return info
            goes_on, self._goes_on = self._goes_on, _nothing
            goes_on()
        return signal.sigwaitinfo(_AWAITED)

    def _own_pids(self) -> frozenset[int]:
        """Ours and the witness's; never 0, which is also the sender outside a container."""
        return frozenset((os.getpid(), self._witness.pid)) - {0}

    def _forward(self, signo: int) -> None:
        """Send what was sent to us. A command that has become another user's is out of our reach."""
        with suppress(PermissionError):
            os.kill(self._command, signo)


def prepare(now_s: Callable[[], float] = time.monotonic) -> Supervisor:
    """A supervisor that can start its command. As `hold`."""
    supervisor = hold(now_s)
    supervisor.post_witness()
    return supervisor


def hold(now_s: Callable[[], float] = time.monotonic) -> Supervisor:
    """A supervisor, and signals wait for it. Call this first in the process, before a file is opened for the command.

    All threads started later inherit the blocked signals, so that no signal ever goes to one of them.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    become_subreaper()
    return Supervisor(mask, now_s)


def _nothing() -> None:
    """For who is not to be called."""


def _discard_pending() -> None:
    """Drop what came too late to be relayed, so that it does not kill us when it is unblocked."""
    while signal.sigtimedwait(_AWAITED, 0) is not None:
        pass


def _outcome(reaper: Reaper) -> Outcome:
    end = reaper.end
    if end is None:
        raise RuntimeError("the command has not ended")
    code = os.waitstatus_to_exitcode(end.status)
    killer = -code if code < 0 else None
    return Outcome(
        exit_code=SHELL_SIGNAL_BASE + killer if killer else code,
        signal=killer,
        ended_s=end.at_s,
        cpu_s=reaper.cpu_s,
        max_rss_bytes=reaper.max_rss_bytes,
        survivors=0 if reaper.childless else count_descendants(os.getpid()),
    )
