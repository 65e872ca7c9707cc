"""What the figures fall short of, as faults of the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aipower.fleet.ends import Ends
from aipower.fleet.growth import Reader, Window
from aipower.fleet.names import FAULTS, SOURCE_MISSING
from aipower.fleet.nodes import Node
from aipower.fleet.reached import Contact
from aipower.fleet.selectors import Selector
from aipower.merge.devices import Account
from aipower.merge.views import Naming
from aipower.record.wording import duration
from aipower.runrecord import FaultLine, Missing

MOST_LINES = 2
"""Of one reason on one node, else they are told together."""


def holes(contacts: Mapping[Node, Contact], window: Window, shown: Mapping[Node, str]) -> Iterable[FaultLine]:
    """Times in which a node was not reached: its counters tell the energy, but nobody knows when it was used."""
    for node, name in shown.items():
        contact = contacts.get(node)
        gaps = [gap for gap in contact.holes if gap.end_s > window.start_s] if contact else []
        if not gaps:
            continue
        away_s = sum(gap.span_s for gap in gaps)
        yield FaultLine(
            None,
            "unscraped",
            max(0.0, gaps[0].start_s - window.start_s),
            max(0.0, gaps[-1].end_s - window.start_s),
            len(gaps),
            f"{name} was not reached for {duration(away_s)}; its counters tell the energy, the power curve has a hole",
        )


def silent(since_s: Mapping[Node, float], window: Window, shown: Mapping[Node, str]) -> Iterable[FaultLine]:
    """Nodes that were not reached again."""
    for node, at_s in since_s.items():
        if node in shown:
            off_s = max(0.0, at_s - window.start_s)
            yield FaultLine(
                None, "unscraped", off_s, window.span_s, 1,
                f"{shown[node]} was not reached from then on to the end; what it used then is not known",
            )  # fmt: skip


def cut_off(ends: Ends, window: Window, shown: Mapping[Node, str]) -> Iterable[FaultLine]:
    """Nodes where nobody saw the job's end."""
    for node, at_s in ends.cut_s.items():
        returned = node in ends.returned
        later = "it had left when the node was reached again" if returned else "the node was not reached again"
        bound = (
            "the interval has all that the devices used meanwhile" if returned else "what it used later is not known"
        )
        off_s = max(0.0, at_s - window.start_s)
        yield FaultLine(
            None, "cut_off", off_s, off_s, 1, f"{shown[node]}: the job's end was not seen, {later}; {bound}"
        )


def flaws(pairs: Iterable[tuple[Node, Account]], wall_s: float, shown: Mapping[Node, str]) -> Iterable[FaultLine]:
    """Of devices."""
    devices: dict[tuple[Node, str, str], list[str]] = {}
    for node, account in pairs:
        for flaw in account.flaws:
            devices.setdefault((node, flaw.reason, flaw.detail), []).append(account.record.device)
    for (node, reason, detail), names in devices.items():
        if len(names) > MOST_LINES:
            yield FaultLine(None, reason, 0.0, wall_s, 1, f"{len(names)} devices of {shown[node]}: {detail}")
        else:
            yield from (FaultLine(name, reason, 0.0, wall_s, 1, detail) for name in names)


def told(reader: Reader, targets: Sequence[str], window: Window, shown: Mapping[Node, str]) -> Iterable[FaultLine]:
    """What the agents counted of their devices. When in the window it was is not known."""
    naming = Naming(len(shown) > 1)
    grown = reader.grown(Selector(FAULTS, tuple(targets)), window, ("device", "reason"), lambda _: True)
    counts: dict[tuple[Node, str], dict[str, int]] = {}
    for (node, (device, reason)), growth in sorted(grown.items()):
        if device and growth.value >= 1 and node in shown:
            counts.setdefault((node, reason), {})[device] = round(growth.value)
    for (node, reason), devices in counts.items():
        if len(devices) > MOST_LINES:
            detail = f"{len(devices)} devices of {shown[node]}, as the agent counted"
            yield FaultLine(None, reason, 0.0, window.span_s, sum(devices.values()), detail)
            continue
        for device, count in devices.items():
            yield FaultLine(
                naming.device(shown[node], device), reason, 0.0, window.span_s, count, "as the agent counted"
            )


def engine(warnings: Sequence[str], wall_s: float) -> Iterable[FaultLine]:
    """What the engine itself said of its answers."""
    for text in warnings:
        yield FaultLine(None, "partial_response", 0.0, wall_s, 1, " ".join(text.split()))


def not_measured(reader: Reader, targets: Sequence[str], window: Window, shown: Mapping[Node, str]) -> list[Missing]:
    """Sources that nodes have not, with the nodes."""
    found = reader.over("max_over_time", Selector(SOURCE_MISSING, tuple(targets)), window, ("source", "kind"))
    nodes: dict[tuple[str, ...], list[str]] = {}
    for (node, words), value in sorted(found.items()):
        if value > 0 and node in shown:
            nodes.setdefault(words, []).append(shown[node])
    return [
        Missing(source, kind, f"not on {_some(names)}", "`aipower doctor` there says why")
        for (source, kind), names in nodes.items()
    ]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} nodes"  # noqa: PLR2004 - a line has no room for more
