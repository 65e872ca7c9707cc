"""Waits until the devices are back at the power that they had before the first run.

A run that begins on hot devices draws more: leakage grows with temperature, fans still turn, clocks are still up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from msgspec import Struct

from aipower.run.repeat.powers import OpenSensors, Powers
from aipower.seams import Clock

LEARN_S = 1.5
"""How long the idle power is measured."""
LOOK_S = 0.02
"""Between reads: a counter's power is known over ten of them (see `Channel`)."""
NEAR, NEAR_W = 0.03, 2.0
"""Back is who is no further above the idle power than this part of it, or than so many watts if these are more."""
MOST_S = 60.0
"""Longest wait; a device that somebody else has put to work meanwhile does not come back at all."""

Asked = Callable[[], bool]


class Waited(Struct, frozen=True):
    """How a cool-down ended."""

    seconds: float
    warm: Mapping[str, tuple[float, float]]
    """The devices that did not come back: their power and their idle power in watts."""


def learn_idle_w(open_sensors: OpenSensors, clock: Clock, stop: Asked) -> Mapping[str, float]:
    """The idle power of each device that can be read."""
    sums: dict[str, list[float]] = {}
    with Powers(open_sensors(), clock) as powers:
        until_s = clock.monotonic_s() + LEARN_S
        while clock.monotonic_s() < until_s and not stop():
            powers.look()
            for device, power_w in powers.means_w().items():
                sums.setdefault(device, []).append(power_w)
            clock.sleep(LOOK_S)
    return {device: sum(seen) / len(seen) for device, seen in sums.items()}


def wait_for_idle(
    idle_w: Mapping[str, float],
    open_sensors: OpenSensors,
    clock: Clock,
    stop: Asked,
    tell: Callable[[Mapping[str, tuple[float, float]]], None],
    watched: Collection[str] | None = None,
) -> Waited:
    """Return when all devices of `idle_w` are back, or are not to be seen, or after `MOST_S`.

    `watched` leaves out those that are not in it. `tell` is called with what is not back yet.
    """
    wanted = {device: level_w for device, level_w in idle_w.items() if watched is None or device in watched}
    warm: Mapping[str, tuple[float, float]] = {}
    began_s = clock.monotonic_s()
    with Powers(open_sensors(), clock) as powers:
        while not stop():
            powers.look()
            means_w = powers.means_w()
            warm = _warm(wanted, means_w)
            waited_s = clock.monotonic_s() - began_s
            all_seen = means_w.keys() >= wanted.keys() or waited_s >= LEARN_S
            if (all_seen and not warm) or waited_s >= MOST_S:
                break
            tell(warm)
            clock.sleep(LOOK_S)
    return Waited(clock.monotonic_s() - began_s, warm)


def limit_w(idle_w: float) -> float:
    """Up to which power a device counts as back."""
    return idle_w + max(NEAR * idle_w, NEAR_W)


def _warm(wanted: Mapping[str, float], means_w: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    return {
        device: (means_w[device], level_w)
        for device, level_w in wanted.items()
        if device in means_w and means_w[device] > limit_w(level_w)
    }
