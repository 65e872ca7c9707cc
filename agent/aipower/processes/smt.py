"""How hard a CPU second is where two threads share a core: each gets less done, and draws less, than one alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from aipower.processes.placement import Stint
from aipower.processes.topology import Topology

SMT_SHARE = 0.6
"""What each of two busy siblings draws of a lone thread's power: the pair draws about 1.2 of it.

An assumption to start from, not a measurement of this machine: Intel names 15 to 30 % more throughput for the
second thread, and power follows it roughly. Regression over windows corrects it where it is wrong.
"""
_SECOND = 2 * SMT_SHARE - 1
"""What each further thread of a core adds."""


class Crowding(Struct, frozen=True):
    """Who was busy beside whom in one window of `span_s`."""

    topology: Topology
    busy_by_cpu_s: Mapping[int, float]
    span_s: float

    def of_place(self, stints: Sequence[Stint]) -> float:
        """The mean weight of one process's stints, by time; 1 where it ran alone on its cores, or not at all.

        A thread's neighbours are all that its core did beyond its own time: a thread that hops between two
        siblings does not crowd itself.
        """
        own_s: dict[tuple[int, tuple[int, ...]], float] = {}
        for stint in stints:
            key = stint.thread, self.topology.siblings_of(stint.cpu)
            own_s[key] = own_s.get(key, 0.0) + stint.seconds
        total_s = sum(own_s.values())
        if total_s <= 0:
            return 1.0
        weights = ((_weight(self._beside(core, seconds), len(core)), seconds) for (_, core), seconds in own_s.items())
        return sum(weight * seconds for weight, seconds in weights) / total_s

    def of_socket(self, socket: int | None) -> float:
        """The mean weight of all busy time of `socket`, or of all sockets: for work whose CPU is not known."""
        cpus = [Stint(cpu, busy_s, cpu) for cpu, busy_s in self.busy_by_cpu_s.items() if self._is_in(cpu, socket)]
        return self.of_place(cpus)

    def _is_in(self, cpu: int, socket: int | None) -> bool:
        return socket is None or self.topology.socket_of(cpu) == socket

    def _beside(self, siblings: Sequence[int], own_s: float) -> float:
        """Mean number of other threads that ran on the core."""
        core_s = sum(self.busy_by_cpu_s.get(cpu, 0.0) for cpu in siblings)
        return max(0.0, core_s - own_s) / self.span_s if self.span_s > 0 else 0.0


def _weight(beside: float, threads: int) -> float:
    """1 alone, SMT_SHARE beside one other, in between in proportion; beyond that the core's power by its threads."""
    others = min(beside, threads - 1.0)
    if others <= 1:
        return 1 - others * (1 - SMT_SHARE)
    return (1 + _SECOND * others) / (1 + others)
