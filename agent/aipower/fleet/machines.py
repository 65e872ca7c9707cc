"""The devices of the nodes in a window: what they used, and what else is known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from aipower.fleet.growth import Growth, Key, Reader, Window
from aipower.fleet.names import (
    COMPONENT_ENERGY,
    COUNTERS_START,
    DEVICE_ENERGY,
    DEVICE_INFO,
    DEVICE_POWER,
    POWER_LIMIT,
    SENSOR_UP,
)
from aipower.fleet.nodes import Node
from aipower.fleet.selectors import Selector

DEVICE = ("device", "kind", "index")
ACCOUNT = ("system", "job", "step", "user", *DEVICE)
INFO = ("device", "name", "method", "driver")
AT_ZERO_S = 1.0
"""Counters that began so much before the window began in it: clocks differ."""


class Machines(Struct, frozen=True):
    """The devices of the nodes in a window, by node and (device, kind, index) unless said otherwise."""

    window: Window
    energy: Mapping[Key, Growth]
    idle: Mapping[Key, Growth]
    unattributed: Mapping[Key, Growth]
    up: Mapping[Key, float]
    """Which part of the time each sensor could be read."""
    peak_w: Mapping[Key, float]
    limit_w: Mapping[Key, float]
    info: Mapping[tuple[Node, str], tuple[str, str, str]]
    """Name, method and driver by node and device."""
    less_j: Mapping[Key, float]
    """What was used at the edges of the window, maybe outside of it."""
    more_j: Mapping[Key, float]
    """What may belong to the window beyond its last sample."""


def machines(reader: Reader, targets: Sequence[str], window: Window, interval_s: float, *, open_end: bool) -> Machines:
    """The devices of the targets; `open_end` where the window may end after its last sample."""

    def of(metric: str, **own: str) -> Selector:
        return Selector(metric, tuple(targets), tuple(own.items()))

    whole = of(DEVICE_ENERGY)
    began = began_since(reader, targets, window)
    ends = [reader.at(whole, window.start_s + off_s, DEVICE) for off_s in (0.0, interval_s)]
    tails = [reader.at(whole, window.end_s + off_s, DEVICE) for off_s in (-interval_s, 0.0, interval_s)]
    infos = reader.keyed(
        reader.client.instant(of(DEVICE_INFO).over("last_over_time", window.span_s), window.end_s), INFO
    )
    return Machines(
        window,
        reader.grown(whole, window, DEVICE, began),
        reader.grown(of(COMPONENT_ENERGY, component="idle"), window, DEVICE, began),
        reader.grown(of(COMPONENT_ENERGY, component="unattributed"), window, DEVICE, began),
        reader.over("avg_over_time", of(SENSOR_UP), window, DEVICE),
        reader.over("max_over_time", of(DEVICE_POWER), window, DEVICE),
        reader.over("min_over_time", of(POWER_LIMIT), window, DEVICE),
        {(node, words[0]): (words[1], words[2], words[3]) for node, words in infos},
        _added(_steps(*ends), _steps(*tails[:2])),
        _steps(*tails[1:]) if open_end else {},
    )


def began_since(reader: Reader, targets: Sequence[str], window: Window) -> Callable[[Key], bool]:
    """Says whether a counter without a sample at the start of the window began at 0 since then.

    It did where its node was reached then and showed the device, or where all counters of the node are younger.
    """
    seen = reader.at(Selector(DEVICE_ENERGY, tuple(targets)), window.start_s, ("device",))
    starts = reader.over("min_over_time", Selector(COUNTERS_START, tuple(targets)), window, ())
    known = {(node, words[0]) for node, words in seen}
    young = {node for (node, _), at_s in starts.items() if at_s >= window.start_s - AT_ZERO_S}

    def began(key: Key) -> bool:
        node, words = key
        return node in young or any((node, word) in known for word in words if word)

    return began


def _steps(sooner: Mapping[Key, float], later: Mapping[Key, float]) -> dict[Key, float]:
    return {key: max(0.0, value - sooner[key]) for key, value in later.items() if key in sooner}


def _added(first: Mapping[Key, float], second: Mapping[Key, float]) -> dict[Key, float]:
    return {key: first.get(key, 0.0) + second.get(key, 0.0) for key in {*first, *second}}
