"""Power over time of the devices of a report."""

from __future__ import annotations

from collections.abc import Sequence

from aipower.fleet.curves import Curve, Steps, curves_of, steps_of
from aipower.fleet.growth import Reader
from aipower.fleet.names import DEVICE_ENERGY
from aipower.fleet.reached import downs
from aipower.fleet.scene import Scene
from aipower.fleet.selectors import Selector
from aipower.merge.views import Naming
from aipower.runrecord import PowerSeries


def powers_of(reader: Reader, scene: Scene, own: Selector) -> list[PowerSeries]:
    """Of the devices that have a row, and the part that is asked for."""
    naming = Naming(len(scene.shown) > 1)
    ours = [(node, words[0]) for node, words in scene.machines.energy if node in scene.shown]
    steps = steps_of(scene.window, scene.interval_s, len(ours))
    failed = any(up < 1 for (node, _), up in scene.machines.up.items() if node in scene.shown)
    dark = downs(reader, scene.targets, scene.window, scene.interval_s) if failed else {}
    wholes = curves_of(reader, Selector(DEVICE_ENERGY, scene.targets), steps, scene.contacts, dark)
    parts = curves_of(reader, own, steps, scene.contacts, dark)
    return [
        PowerSeries(
            naming.device(scene.shown[node], device),
            steps.step_s,
            whole,
            _own_curve(whole, parts.get((node, device)), steps),
        )
        for node, device in sorted(ours, key=lambda one: (scene.shown[one[0]], one[1]))
        if (whole := wholes.get((node, device))) is not None
    ]


def _own_curve(whole: Curve, part: Curve | None, steps: Steps) -> Curve:
    known: Sequence[float | None] = part or [0.0] * steps.count
    return [None if all_w is None else min(all_w, own_w or 0.0) for all_w, own_w in zip(whole, known, strict=True)]
