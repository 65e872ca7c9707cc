"""How a job ended on each node: it still runs, it came to its end, or nobody saw what became of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from aipower.fleet.growth import Key, Reader, Window
from aipower.fleet.names import DEVICE_ENERGY
from aipower.fleet.nodes import Node
from aipower.fleet.selectors import Selector
from aipower.fleet.span import KEPT_S, MISSED, JobSpan

DEVICE = ("device",)
FRESH = 2.0
"""A counter that grew so many scrapes ago still grows."""


class Ends(Struct, frozen=True):
    """Of a job on its nodes."""

    running: frozenset[Node] = frozenset()
    cut_s: Mapping[Node, float] = field(default_factory=dict)
    """The last sample on nodes where no later one shows that the job had come to rest: it left unseen."""
    returned: frozenset[Node] = frozenset()
    """Those of them that were reached again, without the job."""
    more_j: Mapping[tuple[Node, str], float] = field(default_factory=dict)
    """What the job may have used meanwhile, by node and device: all that the device used."""


def ends_of(reader: Reader, targets: Sequence[str], span: JobSpan, until_s: float) -> Ends:
    """What became of the job; `until_s` is the end of what was asked."""
    near_s = MISSED * span.interval_s
    alive = {node for node, at_s in span.last_s.items() if until_s - at_s <= near_s and _alive(span, node)}
    cut_s = {
        node: at_s
        for node, at_s in span.last_s.items()
        if until_s - at_s > near_s and span.grew_s.get(node, -math.inf) >= at_s
    }
    if not cut_s:
        return Ends(frozenset(alive))
    more_j = _meanwhile(reader, targets, cut_s, until_s)
    return Ends(frozenset(alive), cut_s, frozenset(node for node, _ in more_j), more_j)


def _alive(span: JobSpan, node: Node) -> bool:
    grew_s, last_s = span.grew_s.get(node), span.last_s[node]
    return grew_s is None or last_s - grew_s <= FRESH * span.interval_s or last_s - grew_s > KEPT_S + span.interval_s


def _meanwhile(
    reader: Reader, targets: Sequence[str], cut_s: Mapping[Node, float], until_s: float
) -> dict[tuple[Node, str], float]:
    """What the devices of nodes that came back have used since they were cut off."""
    whole = Selector(DEVICE_ENERGY, tuple(targets))
    found: dict[tuple[Node, str], float] = {}
    for at_s in sorted(set(cut_s.values())):
        before = reader.at(whole, at_s, DEVICE)
        after = reader.over("min_over_time", whole, Window(at_s, until_s), DEVICE)
        for key in before.keys() & after.keys():
            if cut_s.get(key[0]) == at_s:
                found[_device(key)] = max(0.0, after[key] - before[key])
    return found


def _device(key: Key) -> tuple[Node, str]:
    node, (device,) = key
    return node, device
