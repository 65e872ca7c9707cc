"""Everything that a report needs of a window: who was reached, what the devices used, whose parts there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.fleet.growth import Growth, Key, Reader, Window
from aipower.fleet.machines import ACCOUNT, Machines, machines
from aipower.fleet.names import JOB_ERROR, JOB_HELD, JOB_UNUSED
from aipower.fleet.nodes import Node, shown_names
from aipower.fleet.parts import Part, parts_of
from aipower.fleet.reached import Contact, contacts
from aipower.fleet.selectors import Selector, any_of

MOST_INSTANCES = 400
"""Of which each is named in a query; more are picked out here."""

Own = tuple[tuple[str, str], ...]
"""Values of labels of aipower's own."""
Place = tuple[Node, str]
"""A device of a node."""


class Scene(Struct, frozen=True):
    """Everything that was found in a window."""

    window: Window
    interval_s: float
    targets: tuple[str, ...]
    contacts: Mapping[Node, Contact]
    machines: Machines
    shown: Mapping[Node, str]
    """The nodes that matter, and what they are called."""


def scene_of(
    reader: Reader, targets: tuple[str, ...], span: tuple[Window, float], nodes: Iterable[Node], *, open_end: bool
) -> Scene:
    """The window `span` (with the time between scrapes) of the targets; `nodes` are those that matter."""
    window, interval_s = span
    return Scene(
        window,
        interval_s,
        targets,
        contacts(reader, targets, window, interval_s),
        machines(reader, targets, window, interval_s, open_end=open_end),
        shown_names(nodes),
    )


def targets_of(reader: Reader, selector: Selector, told: Sequence[str], window: Window) -> tuple[str, ...]:
    """Matchers for the agents that have these series, beside those that were told."""
    found = reader.client.instant(selector.over("last_over_time", window.span_s), window.end_s)
    instances = {series.labels.get("instance", "") for series in found}
    if "" in instances or not instances or len(instances) > MOST_INSTANCES:
        return tuple(told)
    return (*told, any_of("instance", instances))


def accounts_in(
    reader: Reader,
    selector: Selector,
    grown: Mapping[Key, Growth],
    scene: Scene,
    lost_j: Mapping[Place, float],
) -> dict[Place, Part]:
    """The accounts of a selector by node and device, with their errors."""
    halves_j = reader.over("last_over_time", Selector(JOB_ERROR, scene.targets, selector.own), scene.window, ACCOUNT)
    less_j, more_j = edges_of(reader, selector, scene, ACCOUNT)
    for key, value_j in lost_j.items():
        more_j[key] = more_j.get(key, 0.0) + value_j
    parts = parts_of(grown, halves_j, more_j)
    return {
        key: replace(part, spread=replace(part.spread, less_j=less_j.get(key, 0.0))) for key, part in parts.items()
    }


def edges_of(
    reader: Reader, selector: Selector, scene: Scene, labels: Sequence[str]
) -> tuple[dict[Place, float], dict[Place, float]]:
    """By node and device: what was used in the first interval and may lie before, what in the one after the end."""
    window, interval_s = scene.window, scene.interval_s
    moments = (window.start_s, window.start_s + interval_s, window.end_s, window.end_s + interval_s)
    first, second, last, beyond = (reader.at(selector, at_s, labels) for at_s in moments)
    place = list(labels).index("device")
    return _by_device(first, second, place), _by_device(last, beyond, place)


def _by_device(sooner: Mapping[Key, float], later: Mapping[Key, float], place: int) -> dict[Place, float]:
    found: dict[Place, float] = {}
    for (node, words), value in later.items():
        before = sooner.get((node, words))
        if before is not None:
            found[node, words[place]] = found.get((node, words[place]), 0.0) + max(0.0, value - before)
    return found


def covered_s(scene: Scene) -> dict[Node, float]:
    """For how long of the window each node's energy is known: across holes, from the first scrape to the last."""
    found: dict[Node, float] = {}
    for node, contact in scene.contacts.items():
        last_s = contact.last_until(scene.window.end_s)
        if last_s is not None and contact.times_s:
            first_s = max(scene.window.start_s, contact.times_s[0])
            found[node] = max(0.0, last_s - first_s)
    return found


def held_in(reader: Reader, targets: tuple[str, ...], own: Own, window: Window) -> dict[str, float]:
    """Seconds for which GPUs were held, and of these unused, summed over the GPUs."""
    held, unused = (
        sum(
            one.value for one in reader.grown(Selector(metric, targets, own), window, ACCOUNT, lambda _: True).values()
        )
        for metric in (JOB_HELD, JOB_UNUSED)
    )
    return {"gpu_held_s": held, "gpu_unused_s": unused} if held > 0 else {}
