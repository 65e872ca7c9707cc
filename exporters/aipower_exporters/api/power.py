"""Power at full rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aipower.model import SUMMED_KINDS, Snapshot
from aipower.site.history import History
from aipower.site.sources import Now
from aipower_exporters.api import query as asked
from aipower_exporters.api.documents.power import Power
from aipower_exporters.api.numbers import column, times
from aipower_exporters.api.wall import monotonic_s, offset_s

GUARD_S = 0.001
"""A cursor is this much behind the last tick: far less than there is between ticks, and far more than the rounding of
unix seconds, which have no more than 0.24 microseconds."""
SOON_S = 1.0
"""A cursor that is further ahead of now was given before the wall clock was set back."""


def power_document(history: History, query: Mapping[str, str], snapshot: Snapshot, now: Now) -> Power:
    """The ticks after `after`, or all.

    Raises:
        UsageError: The query makes no sense.
    """
    devices = asked.devices(query) or summed_devices(snapshot)
    after = asked.number(query, "after")
    after_s = float("-inf") if after is None else min(monotonic_s(after, now), now.monotonic_s + SOON_S)
    ticks, shift_s = history.ticks(after_s, devices), offset_s(now)
    nothing = (None,) * len(ticks.at_s)
    return Power(
        at_unix_s=times(ticks.at_s, shift_s),
        power_w={device: column(ticks.power_w.get(device, nothing)) for device in devices},
        next=_next(ticks.at_s, after_s, shift_s),
    )


def summed_devices(snapshot: Snapshot) -> tuple[str, ...]:
    """The ids of the devices that make up the total."""
    return tuple(state.device.id for state in snapshot.devices if state.device.kind in SUMMED_KINDS)


def _next(at_s: Sequence[float], after_s: float, shift_s: float) -> float:
    if at_s:
        return round(at_s[-1] + GUARD_S + shift_s, 6)
    return 0.0 if after_s == float("-inf") else round(after_s + shift_s, 6)
