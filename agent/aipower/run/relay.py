"""Decides which of the signals that we got the command has not got yet."""

from __future__ import annotations

import time

from aipower.imports.lean import signal

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from aipower.run.witness import Origin

SI_KERNEL = 0x80
_SENT_BY_SOMEBODY = frozenset((0, -1, -6))
"""SI_USER, SI_QUEUE and SI_TKILL: the codes that the kernel gives to signals of processes (siginfo.h)."""

_LEADER_SIGNALS = frozenset((signal.SIGHUP, signal.SIGCONT))
"""What the kernel sends to a session's leader alone when its terminal goes away."""

_STOPS = frozenset((signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU))

GRACE_S = 0.02
"""kill(2) walks the group one by one, and a process that signals a whole cgroup does so in user space."""

ECHO_S = 0.05
"""The same signal from the same sender within this time is one: standard signals are not counted but merged,
and the witness may have merged two that reached us apart (timeout(1) signals its child, then the group)."""

_CLAIM_S = 1.0
"""What the witness tells of is pending for us too; if it has not come by now, it was merged with another."""


class Arrival:
    """A signal that came to us."""

    __slots__ = ("code", "sender", "signo")

    def __init__(self, signo: int, code: int, sender: int) -> None:
        self.signo = signo
        self.code = code
        """The reason that the kernel gives: si_code."""
        self.sender = sender
        """The pid of who sent it; 0 for the kernel."""


class Relay:
    """Tells signals to us alone, to be forwarded, from those that the whole group has got."""

    def __init__(
        self,
        collect: Callable[[], Collection[Origin] | None],
        own_pids: Collection[int],
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._collect = collect
        self._own_pids = own_pids
        self._now_s = now_s
        self._sleep = sleep
        self._heard_s: dict[Origin, float] = {}
        self._claimed_s: dict[Origin, float] = {}
        self._blind = False

    def refresh(self) -> None:
        """Ask the witness now; what it says is kept for the signals that are still to come."""
        answer = self._collect()
        self._blind = answer is None
        now_s = self._now_s()
        self._heard_s = _newer(self._heard_s, now_s - _CLAIM_S)
        self._claimed_s = _newer(self._claimed_s, now_s - ECHO_S)
        self._heard_s |= dict.fromkeys(answer or (), now_s)

    def to_forward(self, arrivals: Sequence[Arrival]) -> list[int]:
        """The numbers of those signals which the command has not got, in the order in which they came."""
        foreign = [arrival for arrival in arrivals if arrival.sender not in self._own_pids]
        if not foreign:
            return []
        self.refresh()
        if not self._blind and not all(self._witnessed(arrival) for arrival in foreign):
            self._sleep(GRACE_S)
            self.refresh()
        return [arrival.signo for arrival in foreign if self._is_due(arrival)]

    def _is_due(self, arrival: Arrival) -> bool:
        if self._claim(arrival) or self._cancelled(arrival):
            return False
        if arrival.code == SI_KERNEL:
            return arrival.signo in _LEADER_SIGNALS and not self._blind
        return arrival.code in _SENT_BY_SOMEBODY

    def _witnessed(self, arrival: Arrival) -> bool:
        return bool(self._matches(arrival)) or self._echoes(arrival)

    def _claim(self, arrival: Arrival) -> bool:
        """True if the group got it; the witness's word for it is then used up."""
        matches = self._matches(arrival)
        for origin in matches:
            del self._heard_s[origin]
            self._claimed_s[origin] = self._now_s()
        return bool(matches) or self._echoes(arrival)

    def _matches(self, arrival: Arrival) -> list[Origin]:
        """The kernel's match any sender: at a hang-up its signals to leader and group differ in it."""
        if arrival.code == SI_KERNEL:
            return [origin for origin in self._heard_s if origin[0] == arrival.signo]
        return [origin for origin in self._heard_s if origin == (arrival.signo, arrival.sender)]

    def _echoes(self, arrival: Arrival) -> bool:
        claimed_s = self._claimed_s.get((arrival.signo, arrival.sender))
        return claimed_s is not None and self._now_s() - claimed_s < ECHO_S

    def _cancelled(self, arrival: Arrival) -> bool:
        """True for a stop that a later SIGCONT to the group took from the witness before we could ask."""
        return arrival.signo in _STOPS and any(signo == signal.SIGCONT for signo, _ in self._heard_s)


def _newer(times_s: dict[Origin, float], limit_s: float) -> dict[Origin, float]:
    return {origin: at_s for origin, at_s in times_s.items() if at_s > limit_s}
