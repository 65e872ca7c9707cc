"""Runs one child after the other in our own process group; what is meant for the child is passed on to it.

A terminal's signals reach the child by themselves, a stopped child stops us, and we end no child: whoever asks us to
end asks the child, and we wait for it. INT, TERM, HUP and QUIT are also remembered: the series ends then.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from msgspec import Struct

from aipower.run.reaper import Reaper, stop_like
from aipower.run.relay import Arrival, Relay
from aipower.run.supervise import RELAYED, SHELL_SIGNAL_BASE
from aipower.run.witness import Witness, start_witness

_AWAITED = RELAYED | {signal.SIGCHLD}
_ENDING = frozenset((signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT))
_STOPS = frozenset((signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU))
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_MOST_AT_ONCE = 64
TICK_S = 0.25
"""How often a child's progress is shown."""
SLICE_S = 0.05
"""Between looks at what is waited for without a child."""


class Streams(Struct, frozen=True):
    """Where a child reads and writes; None for where we do."""

    stdin: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    """What the file held is lost."""


class Children:
    """Enter it in the process's only thread: signals are blocked meanwhile, in all threads that are started later."""

    def __init__(self) -> None:
        self.asked = 0
        """The signal that has asked us to end, or 0."""
        self._mask: set[int] = set()
        self._witness = Witness(0, None)
        self._relay = Relay(self._witness.collect, frozenset())

    def __enter__(self) -> Self:
        self._mask = set(signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED))
        self._witness = start_witness(RELAYED)
        own_pids = frozenset((os.getpid(), self._witness.pid)) - {0}
        self._relay = Relay(self._witness.collect, own_pids)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._witness.close()
        while signal.sigtimedwait(_AWAITED, 0) is not None:
            pass  # what came too late must not kill us when it is unblocked
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def run(
        self,
        argv: Sequence[str],
        environment: Mapping[bytes, bytes],
        streams: Streams,
        tick: Callable[[], None] = lambda: None,
    ) -> int:
        """The exit code of `argv`, as a shell gives it. `tick` is called some times a second meanwhile.

        Raises:
            OSError: It cannot be started.
        """
        pid = os.posix_spawn(
            argv[0],
            list(argv),
            environment,
            file_actions=_actions(streams),
            setsigmask=self._mask,
            setsigdef=_IGNORED_BY_PYTHON,
        )
        reaper = Reaper(pid, self._witness, lambda: None)
        while True:
            arrivals = self._arrivals(TICK_S)
            reaper.poll()
            if reaper.end is not None:
                code = os.waitstatus_to_exitcode(reaper.end.status)
                return code if code >= 0 else SHELL_SIGNAL_BASE - code
            self._pass_on(arrivals, pid)
            if stopped_by := reaper.take_stop():
                self._witness.watch(pid)
                stop_like(stopped_by)
                self._relay.refresh()
            tick()

    def asked_by_now(self) -> int:
        """As `asked`, with what has come since it was last looked at."""
        self._arrivals(0)
        return self.asked

    def rest(self, over: Callable[[], bool]) -> None:
        """Wait, without a child, until `over` says so or a signal asks us to end."""
        while not over() and not self.asked:
            for arrival in self._arrivals(SLICE_S):
                if arrival.signo in _STOPS and signal.getsignal(arrival.signo) != signal.SIG_IGN:
                    stop_like(arrival.signo)

    def _pass_on(self, arrivals: Sequence[Arrival], pid: int) -> None:
        for signo in self._relay.to_forward(arrivals):
            with contextlib.suppress(PermissionError, ProcessLookupError):
                os.kill(pid, signo)

    def _arrivals(self, patience_s: float) -> list[Arrival]:
        """What has come within `patience_s`; returns as soon as something has, the end of a child included."""
        arrivals = [Arrival(info.si_signo, info.si_code, info.si_pid) for info in _pending(patience_s)]
        for arrival in arrivals:
            if arrival.signo in _ENDING and signal.getsignal(arrival.signo) != signal.SIG_IGN:
                self.asked = self.asked or arrival.signo
        return [arrival for arrival in arrivals if arrival.signo != signal.SIGCHLD]


def _pending(patience_s: float) -> list[signal.struct_siginfo]:
    info = signal.sigtimedwait(_AWAITED, patience_s)
    infos = []
    while info is not None:
        infos.append(info)
        info = signal.sigtimedwait(_AWAITED, 0) if len(infos) < _MOST_AT_ONCE else None
    return infos


def _actions(streams: Streams) -> list[tuple[int, int, str, int, int]]:
    """What posix_spawn does in the child: opens what is not inherited."""
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    wanted = ((0, streams.stdin, os.O_RDONLY), (1, streams.stdout, writing), (2, streams.stderr, writing))
    return [(os.POSIX_SPAWN_OPEN, fd, path, flags, 0o600) for fd, path, flags in wanted if path is not None]
