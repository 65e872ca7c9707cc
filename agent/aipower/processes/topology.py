"""Which logical CPU sits in which socket, and with whom it shares a core."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

CPUS = Path("/sys/devices/system/cpu")
"""Where Linux describes them: Documentation/admin-guide/cputopology.rst of the kernel."""


class Cpu(Struct, frozen=True):
    """One logical CPU that is online."""

    number: int
    socket: int
    """Its physical package id. RAPL's zone `package-N` and `Device.index` bear the same number; 0 where the
    kernel does not know it (-1 on some ARM and virtual machines)."""
    core: int
    siblings: tuple[int, ...]
    """All that share its core, itself too, ascending."""


class Topology(Struct, frozen=True):
    """All CPUs by number. What it does not know sits alone on a core of the first socket."""

    cpus: Mapping[int, Cpu] = field(default_factory=dict)

    @property
    def sockets(self) -> tuple[int, ...]:
        """The sockets' numbers, ascending; at least one."""
        return tuple(sorted({cpu.socket for cpu in self.cpus.values()})) or (0,)

    @property
    def smt(self) -> bool:
        """True where any two CPUs share a core."""
        return any(len(cpu.siblings) > 1 for cpu in self.cpus.values())

    def socket_of(self, cpu: int) -> int:
        """The socket of `cpu`."""
        known = self.cpus.get(cpu)
        return known.socket if known else self.sockets[0]

    def siblings_of(self, cpu: int) -> tuple[int, ...]:
        """All CPUs of the core of `cpu`, itself too."""
        known = self.cpus.get(cpu)
        return known.siblings if known else (cpu,)


class LiveTopology:
    """The topology as it is now: CPUs may be taken offline and brought back."""

    def __init__(self, root: Path = CPUS) -> None:
        self._root = root
        self._cpus: frozenset[int] | None = None
        self._known = Topology()

    def of(self, cpus: Collection[int]) -> Topology:
        """The topology while `cpus` are online; read anew only when they change."""
        online = frozenset(cpus)
        if online != self._cpus:
            self._known, self._cpus = read_topology(self._root), online
        return self._known


def read_topology(root: Path = CPUS) -> Topology:
    """The CPUs that are online; empty where `root` says nothing. Raises nothing."""
    online = _cpu_list(_text(root / "online"))
    numbers = [n for n in _numbers(root) if (n in online if online else _text(root / f"cpu{n}" / "online") != "0")]
    places = {n: _place(root / f"cpu{n}" / "topology", n) for n in numbers}
    by_core: dict[tuple[int, int], list[int]] = {}
    for number, place in places.items():
        by_core.setdefault(place, []).append(number)
    cpus: dict[int, Cpu] = {}
    for number, place in places.items():
        named = _cpu_list(_text(root / f"cpu{number}" / "topology" / "thread_siblings_list"))
        siblings = {n for n in named if n in places} if named else set(by_core[place])
        cpus[number] = Cpu(number, *place, tuple(sorted(siblings | {number})))
    return Topology(cpus)


def _numbers(root: Path) -> list[int]:
    try:
        names = os.listdir(root)  # noqa: PTH208 - a path per file of a large machine is slow
    except OSError:
        return []
    return sorted(int(name[3:]) for name in names if name.startswith("cpu") and name[3:].isdecimal())


def _place(folder: Path, number: int) -> tuple[int, int]:
    """Socket and core; a CPU without a core id is a core of its own, numbered below all others."""
    return max(0, _number(folder / "physical_package_id", 0)), _number(folder / "core_id", -1 - number)


def _number(path: Path, default: int) -> int:
    try:
        return int(_text(path))
    except ValueError:
        return default


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _cpu_list(text: str) -> frozenset[int]:
    """The numbers in a list such as `0-3,8`; empty for garbage."""
    try:
        return frozenset(number for part in text.split(",") for number in _span(part))
    except ValueError:
        return frozenset()


def _span(part: str) -> Iterator[int]:
    first, _, last = part.partition("-")
    yield from range(int(first), int(last or first) + 1)
