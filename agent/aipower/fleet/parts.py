"""What each device of the nodes used in a window, and the part of it that is asked for: rows of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from msgspec import Struct, field

from aipower.fleet.errors import of_account, of_device
from aipower.fleet.growth import Growth, Key
from aipower.fleet.machines import Machines
from aipower.fleet.nodes import Node
from aipower.merge.devices import Account, Flaw
from aipower.merge.spread import Spread, within
from aipower.merge.views import Naming
from aipower.model import Kind, Method
from aipower.runrecord import DeviceRecord

KINDS: Mapping[str, Kind] = {kind: kind for kind in get_args(Kind)}
LOST = "counters were lost and began again at 0 {}; what was used between the last scrape and that is not counted"
LATE = "it was not scraped when the time began; the energy is counted from its first scrape on"
NOISE = 1e-9


class Part(Struct, frozen=True):
    """What is asked for, of one device."""

    spread: Spread = field(default_factory=Spread)
    resets: int = 0
    based: bool = True


def rows_of(
    machines_: Machines,
    parts: Mapping[tuple[Node, str], Part],
    covered_s: Mapping[Node, float],
    shown: Mapping[Node, str],
    interval_s: float,
) -> list[tuple[Node, Account]]:
    """A row for each device, the nodes in the order of their names."""
    naming = Naming(len(shown) > 1)
    keys = sorted(machines_.energy, key=lambda key: (shown.get(key[0], ""), _order(key)))
    return [
        (
            node,
            _account(
                _Row(machines_, (node, words), covered_s.get(node, 0.0), interval_s),
                _part(parts, node, words),
                naming,
                shown[node],
            ),
        )
        for node, words in keys
        if node in shown
    ]


class _Row(Struct, frozen=True):
    """One device in the window."""

    all: Machines
    key: Key
    covered_s: float
    """For how long its node is known."""
    interval_s: float

    @property
    def kind(self) -> Kind:
        return kind_of(self.key[1][1])

    @property
    def known_s(self) -> float:
        """For how long its energy is known."""
        return self.covered_s * min(1.0, self.all.up.get(self.key, 1.0))

    @property
    def missing_j(self) -> float:
        """What it may have used in the rest of the window."""
        return max(0.0, self.all.window.span_s - self.known_s) * self.all.peak_w.get(self.key, 0.0)

    @property
    def lost_j(self) -> float:
        """What it may have used between the last scrapes and the moments when its counters began again."""
        return self.all.energy[self.key].resets * self.interval_s * self.all.peak_w.get(self.key, 0.0)

    def whole(self, energy_j: float) -> Spread:
        less_j, more_j = self.all.less_j.get(self.key, 0.0), self.all.more_j.get(self.key, 0.0)
        more_j += self.lost_j
        return of_device(energy_j, self.known_s, self.kind, less_j, more_j + self.missing_j)

    def own(self, part: Part) -> Spread:
        """What is asked for: where the device was not seen for a while, that part may have used it then."""
        unseen_s = self.all.window.span_s - self.known_s
        hidden = part.spread.energy_j > 0 and unseen_s > self.interval_s
        lost_j = self.lost_j if part.resets else 0.0
        return part.spread.wider_by(lost_j + (self.missing_j if hidden else 0.0))


def _part(parts: Mapping[tuple[Node, str], Part], node: Node, words: tuple[str, ...]) -> Part:
    return parts.get((node, words[0]), Part())


def _account(row: _Row, part: Part, naming: Naming, name: str) -> Account:
    growth, own = row.all.energy[row.key], row.own(part)
    whole = row.whole(max(growth.value, own.energy_j))
    flaws_ = _flaws(growth, part)
    return Account(_record(row, whole, own, naming, name), whole, own, [], [], flaws_)


def _record(row: _Row, whole: Spread, own: Spread, naming: Naming, name: str) -> DeviceRecord:
    """Run, idle, unattributed and others' parts sum to the energy."""
    node, (device, kind, index) = row.key
    left_j = whole.energy_j - own.energy_j
    idle_j = min(_value(row.all.idle, row.key), left_j)
    unattributed_j = min(_value(row.all.unattributed, row.key), left_j - idle_j)
    product, method, _ = row.all.info.get((node, device), ("", "counter", ""))
    mean_w = row.all.energy[row.key].value / row.known_s if row.known_s > 0 else None
    peak_w = row.all.peak_w.get(row.key)
    return DeviceRecord(
        device=naming.device(name, device),
        kind=kind,
        index=naming.index(name, index),
        name=product,
        method=method if method in get_args(Method) else "counter",
        energy_j=whole.energy_j,
        interval_j=whole.absolute_j,
        mean_w=mean_w,
        peak_w=None if peak_w is None or mean_w is None else max(peak_w, mean_w),
        run_energy_j=own.energy_j,
        run_interval_j=within(own.absolute_j, whole.absolute_j),
        idle_j=idle_j,
        other_j=_no_noise(left_j - idle_j - unattributed_j, whole.energy_j),
        unattributed_j=unattributed_j,
        covered_s=row.known_s,
        power_limit_w=row.all.limit_w.get(row.key),
        repeatable_interval_j=whole.repeatable_j,
        repeatable_run_interval_j=within(own.repeatable_j, whole.repeatable_j),
    )


def _flaws(growth: Growth, part: Part) -> list[Flaw]:
    flaws: list[Flaw] = []
    # Of the device: an account that begins again may be a service that was started again.
    if growth.resets:
        flaws.append(Flaw("counter_reset", LOST.format(_times(growth.resets))))
    if not growth.based or not part.based:
        flaws.append(Flaw("partial", LATE))
    return flaws


def parts_of(
    growths: Mapping[Key, Growth], halves_j: Mapping[Key, float], more_j: Mapping[tuple[Node, str], float]
) -> dict[tuple[Node, str], Part]:
    """Accounts by node and device, added up; their keys are those of `ACCOUNT`."""
    found: dict[tuple[Node, str], Part] = {}
    for key, growth in growths.items():
        node, words = key
        device, kind = words[4], words[5]
        spread = of_account(growth, halves_j.get(key), kind_of(kind))
        before = found.get((node, device), Part())
        found[node, device] = Part(
            before.spread.beside(spread), before.resets + growth.resets, before.based and growth.based
        )
    return {
        (node, device): Part(part.spread.wider_by(more_j.get((node, device), 0.0)), part.resets, part.based)
        for (node, device), part in found.items()
    }


def kind_of(text: str) -> Kind:
    """A kind of device that is not known is like a node's: in no sum."""
    return KINDS.get(text, "node")


def _no_noise(rest_j: float, whole_j: float) -> float:
    """What is left over, but for what sums of floating-point numbers leave of nothing."""
    return rest_j if rest_j > NOISE * whole_j else 0.0


def _value(growths: Mapping[Key, Growth], key: Key) -> float:
    growth = growths.get(key)
    return growth.value if growth else 0.0


def _order(key: Key) -> tuple[int, int, str]:
    """GPUs by their number, then processors and memories."""
    _, (device, kind, index) = key
    kinds = list(KINDS)
    return kinds.index(kind) if kind in KINDS else len(kinds), int(index) if index.isdecimal() else 0, device


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
