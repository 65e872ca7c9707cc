"""Tells whether two dies of a socket have meters of their own or show one meter twice.

AMD's multi-die CPUs (Zen 1 and Zen 2) have one energy register per socket, which older kernels show as one
zone per die; Intel's Cascade Lake AP has a meter in each die. Only the counters tell them apart.
"""

from __future__ import annotations

from typing import Final

from aipower.seams import Clock
from aipower.sensors.rapl.zone import RaplSensor

TRIES: Final = 5
STEP_S: Final = 0.001
"""One update of the counter. Two steps a try, 10 ms in all."""
SLACK_UJ: Final = 20_000_000
"""20 J: 2000 W for 10 ms. No mirror is further off; of two counters of 65 kJ 1 pair in 1600 is as near."""


def mirrored(first: RaplSensor, second: RaplSensor, clock: Clock) -> bool:
    """True where both sensors show one counter.

    `second` is read between two reads of `first`: one and the same counter lies between them, and one that is
    not would have to be within the few millijoules of these two milliseconds. A step is slept on either side,
    so that a mirror may lag by an update. Counters that do not move are compared by their distance.

    Raises:
        SensorError: A read failed, so nothing is known.
    """
    moduli = {first.traits.counter_modulus_uj, second.traits.counter_modulus_uj} - {None}
    if len(moduli) > 1:
        return False
    modulus_uj = moduli.pop() if moduli else None
    moved = False
    for _ in range(TRIES):
        span_uj, offset_uj = _sandwich(first, second, clock)
        # A try in which the counter wrapped has a negative span and proves nothing: the next one will.
        inside, still = 0 <= offset_uj <= span_uj, not 0 < span_uj <= SLACK_UJ
        if inside and not still:
            return True
        if not inside and min(_apart(offset_uj, modulus_uj), _apart(offset_uj - span_uj, modulus_uj)) > SLACK_UJ:
            return False
        moved = moved or not still
    return not moved


def _sandwich(first: RaplSensor, second: RaplSensor, clock: Clock) -> tuple[int, int]:
    """How far `first` went during a try, and how far `second` was ahead of where `first` began."""
    low_uj = first.counter_uj()
    clock.sleep(STEP_S)
    inner_uj = second.counter_uj()
    clock.sleep(STEP_S)
    return first.counter_uj() - low_uj, inner_uj - low_uj


def _apart(difference_uj: int, modulus_uj: int | None) -> int:
    """The shorter way between two values of a counter, over the wrap if need be."""
    if modulus_uj is None:
        return abs(difference_uj)
    return min(difference_uj % modulus_uj, -difference_uj % modulus_uj)
