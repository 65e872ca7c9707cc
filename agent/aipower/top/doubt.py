"""How far an energy since a reset may be off, from what counters say of themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable

from aipower.calibration.entry import Z_95
from aipower.model import Kind, PartError, ProcessEnergy

NOBODY_SAID = PartError()


def since(now: ProcessEnergy, zero: ProcessEnergy | None) -> float | None:
    """Half-width of the 95 % interval of what `now` has beyond `zero`, in microjoules; None where it is not known.

    A half-width h is the root of the squares of three errors: independent ones, whose variances add up; shared ones,
    which add up linearly; and the sensor's gain, in proportion to the energy. Where the parts are known so is that
    of the difference. An agent's page tells h alone. Then sqrt(h^2 - h0^2) is a bound: it is true for the independent
    errors, and at least as much as is true for the other two, as (a - b)^2 <= a^2 - b^2 for a >= b >= 0. A bound
    above the energy itself, as after days of shared errors, says nothing.
    """
    now_uj = now.context_uj + now.active_uj
    zero_uj = zero.context_uj + zero.active_uj if zero else 0
    if zero is None or not zero_uj:
        return now.error_uj
    if now.error != NOBODY_SAID:
        return _exact(now, zero, now_uj, zero_uj)
    if now.error_uj < zero.error_uj:
        return None
    bound_uj = math.sqrt(now.error_uj**2 - zero.error_uj**2)
    return bound_uj if bound_uj <= now_uj - zero_uj else None


def _exact(now: ProcessEnergy, zero: ProcessEnergy, now_uj: int, zero_uj: int) -> float:
    own, before = now.error, zero.error
    gain_uj2 = max(0.0, now.error_uj**2 - Z_95**2 * (own.variance_uj2 + own.systematic_uj**2))
    gain_uj = math.sqrt(gain_uj2) * (now_uj - zero_uj) / now_uj if now_uj else 0.0
    variance_uj2 = max(0.0, own.variance_uj2 - before.variance_uj2)
    return math.hypot(Z_95 * math.sqrt(variance_uj2), Z_95 * (own.systematic_uj - before.systematic_uj), gain_uj)


def together(parts: Iterable[tuple[Kind, float | None]]) -> float | None:
    """Half-width of a sum over devices: of one kind they may share an error of scale, of different kinds they do not.

    So those of one kind add up linearly, which is more than is true where they share nothing. None where one of them
    is not known.
    """
    by_kind: dict[Kind, float] = {}
    for kind, half_uj in parts:
        if half_uj is None:
            return None
        by_kind[kind] = by_kind.get(kind, 0.0) + half_uj
    return math.hypot(*by_kind.values())
