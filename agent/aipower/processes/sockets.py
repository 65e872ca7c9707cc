"""What a window of CPU time means for each socket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from aipower.model import ProcessId, Usage
from aipower.processes.fitting import fit
from aipower.processes.placement import Places, Stint
from aipower.processes.procfs import CpuTotals
from aipower.processes.smt import Crowding
from aipower.processes.topology import Topology


class Moment(Struct, frozen=True):
    """One look at the machine."""

    at_s: float
    totals: CpuTotals


class Window(Struct, frozen=True):
    """CPU seconds between two moments."""

    start: Moment
    end: Moment
    busy_s: Mapping[ProcessId, float]
    known_s: float
    """Of all known processes, those without a line in `busy_s` too."""
    places: Places
    topology: Topology

    @property
    def span_s(self) -> float:
        """Its length."""
        return self.end.at_s - self.start.at_s

    @property
    def total_s(self) -> float:
        """What /proc/stat has seen of all CPUs."""
        return max(0.0, self.end.totals.busy_s - self.start.totals.busy_s)

    @property
    def unknown_s(self) -> float:
        """The work of unknown processes: what /proc/stat has seen beyond the known ones.

        Many kernels sample /proc/stat by the tick but count the processes exactly, so the latter may be more.
        """
        return max(0.0, self.total_s - self.known_s)

    def by_cpu_s(self) -> dict[int, float]:
        """What each CPU did; one that came online meanwhile has done nothing yet."""
        before = self.start.totals.busy_by_cpu_s
        return {cpu: max(0.0, s - before.get(cpu, s)) for cpu, s in self.end.totals.busy_by_cpu_s.items()}


def of_machine(window: Window) -> Usage:
    """The usage of all sockets together."""
    weight = _weights(window, None, window.busy_s)
    return _usage(window, window.busy_s, window.unknown_s, window.end.totals.cpus, weight, window.known_s)


def of_sockets(window: Window) -> dict[int, Usage]:
    """The usage of each socket. A process's seconds on all of them sum to its seconds.

    It starts from where each process was seen (or where the machine was busy, if it was not), and moves only
    what a socket holds beyond its busy time in /proc/stat. The unknown work of a socket is the room that is left.
    """
    sockets = window.topology.sockets
    columns = _columns(window, sockets)
    processes = list(window.busy_s)
    table = fit([_seed(window, process, sockets, columns) for process in processes], columns)
    rest = [max(0.0, column - sum(row[i] for row in table)) for i, column in enumerate(columns)]
    unknown_share = window.unknown_s / sum(rest) if sum(rest) > 0 else 0.0
    found: dict[int, Usage] = {}
    for i, socket in enumerate(sockets):
        busy_s = {process: row[i] for process, row in zip(processes, table, strict=True) if row[i] > 0}
        cpus = sum(window.topology.socket_of(cpu) == socket for cpu in window.end.totals.busy_by_cpu_s)
        weight = _weights(window, socket, busy_s)
        found[socket] = _usage(window, busy_s, rest[i] * unknown_share, cpus, weight, sum(busy_s.values()))
    return found


def _columns(window: Window, sockets: Sequence[int]) -> list[float]:
    """Busy seconds of each socket. The whole is as precise as the kernel's sum; CPUs are rounded one by one."""
    by_cpu_s = window.by_cpu_s()
    shares = dict.fromkeys(sockets, 0.0)
    for cpu, busy_s in by_cpu_s.items():
        shares[window.topology.socket_of(cpu)] += busy_s
    whole = sum(shares.values())
    return [window.total_s * (share / whole if whole > 0 else 1 / len(sockets)) for share in shares.values()]


def _seed(window: Window, process: ProcessId, sockets: Sequence[int], columns: Sequence[float]) -> list[float]:
    seconds, stints = window.busy_s[process], window.places.get(process)
    if not stints:
        whole = sum(columns)
        return [seconds * (column / whole if whole > 0 else 1 / len(sockets)) for column in columns]
    parts = dict.fromkeys(sockets, 0.0)
    for stint in stints:
        parts[window.topology.socket_of(stint.cpu)] += stint.seconds
    return list(parts.values())


def _weights(window: Window, socket: int | None, busy_s: Mapping[ProcessId, float]) -> dict[ProcessId, float]:
    """How hard the CPU seconds of each process were; empty where no two CPUs share a core."""
    if not (window.topology.smt and busy_s):
        return {}
    crowding = Crowding(window.topology, window.by_cpu_s(), window.span_s)
    usual = crowding.of_socket(socket)
    return {p: crowding.of_place(place) if (place := _within(window, p, socket)) else usual for p in busy_s}


def _within(window: Window, process: ProcessId, socket: int | None) -> Sequence[Stint]:
    stints = window.places.get(process, ())
    if socket is None:
        return stints
    return [stint for stint in stints if window.topology.socket_of(stint.cpu) == socket]


def _usage(
    window: Window,
    busy_s: Mapping[ProcessId, float],
    unknown_s: float,
    cpus: int,
    weight: Mapping[ProcessId, float],
    known_s: float,
) -> Usage:
    return Usage(
        start_s=window.start.at_s,
        end_s=window.end.at_s,
        busy_s=busy_s,
        unknown_busy_s=unknown_s,
        capacity_s=max(cpus * window.span_s, known_s + unknown_s),
        weight=weight,
    )
