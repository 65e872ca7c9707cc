"""One device's row of the record: what it drew, what of it is the run's, and how far that may be off."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace

from aipower.accounts import DeviceAccount, PartAccount
from aipower.ledger import SCALE_95, Z_95, Ledger, half_width_95
from aipower.meter import MIN_POWER_WINDOW_S, Channel
from aipower.model import UJ_PER_J
from aipower.run.measure import RUN
from aipower.run.record import CRUMB, DeviceRecord, Interval

SEEN_S = 0.5
"""Utilisation is sampled six times a second and holders are listed at the end: a shorter job may go unseen."""
LEAST_READINGS = 3
"""A peak of fewer readings of power says nothing."""
TICK_S = 0.01
"""CPU times in /proc are whole ticks of 10 ms (USER_HZ, the same on all architectures of today)."""
SILENT_DRIVER = "this driver does not say who works"
NOBODY_KNOWN = "nobody known worked on it: this driver does not say who works, or hides it"
SILENT_KERNEL = "/proc does not say who worked"


@dataclass(frozen=True, slots=True)
class Span:
    """What is known of the run as a whole."""

    wall_s: float
    uncounted_cpu_s: float
    """CPU seconds of the run that no window may have counted: at least a tick."""
    cpus: int


@dataclass(frozen=True, slots=True)
class _Share:
    """The run's own part in joules."""

    energy_j: float | None
    interval_j: Interval | None
    unknown: str = ""


def uncounted_cpu_s(exact_s: float, counted_s: float) -> float:
    """CPU seconds that whole ticks have missed: what the kernel's exact time has more, at least one tick."""
    return max(TICK_S, exact_s - counted_s)


def span_of(wall_s: float, exact_cpu_s: float, counted_cpu_s: float) -> Span:
    """The run on this machine."""
    return Span(wall_s, uncounted_cpu_s(exact_cpu_s, counted_cpu_s), os.cpu_count() or 1)


def device_row(channel: Channel, ledger: Ledger, span: Span) -> DeviceRecord:
    """The row of `channel`'s device; run, idle, other and unattributed sum to its energy."""
    device, totals = channel.sensor.device, ledger.totals(channel.sensor.device.id)
    part = ledger.run_part(RUN, device.id)
    counted = totals.energy_uj > 0
    energy_j = totals.energy_uj / UJ_PER_J
    mean_w = energy_j / channel.covered_s if counted and channel.covered_s > 0 else None
    edge_j = Z_95 * channel.energy.se_uj / UJ_PER_J
    whole = around(energy_j, math.hypot(SCALE_95 * energy_j, edge_j))
    share = _within(_share(channel, totals, part, span, edge_j), whole[1]) if counted else _Share(None, None)
    return DeviceRecord(
        device=device.id,
        kind=device.kind,
        index=device.index,
        name=device.name,
        method=channel.energy.method,
        energy_j=energy_j if counted else None,
        interval_j=whole if counted else None,
        mean_w=mean_w,
        peak_w=_peak_w(channel, mean_w),
        run_energy_j=share.energy_j,
        run_interval_j=share.interval_j,
        idle_j=totals.idle_uj / UJ_PER_J if counted else None,
        other_j=_other_uj(totals, part) / UJ_PER_J if counted else None,
        unattributed_j=totals.unattributed_uj / UJ_PER_J if counted else None,
        covered_s=min(channel.covered_s, span.wall_s),
        run_unknown=share.unknown,
    )


def around(middle: float, half: float) -> Interval:
    """The interval of `half` on both sides, never below 0."""
    return max(0.0, middle - half), middle + half


def _share(channel: Channel, totals: DeviceAccount, part: PartAccount, span: Span, edge_j: float) -> _Share:
    unknown = _unknown(channel, totals, part)
    if unknown:
        return _Share(None, None, unknown)
    own_j, energy_j = part.energy_uj / UJ_PER_J, totals.energy_uj / UJ_PER_J
    own_edge_j = edge_j if part.energy_uj else 0.0
    low_j, high_j = around(own_j, math.hypot(half_width_95(part.energy_uj, part) / UJ_PER_J, own_edge_j))
    if channel.sensor.device.kind == "gpu":
        return _Share(own_j, (low_j, max(high_j, _most_of_gpu_j(totals, part, span, high_j))))
    missed_j = energy_j * min(1.0, span.uncounted_cpu_s / (span.cpus * span.wall_s)) if span.wall_s > 0 else energy_j
    return _Share(own_j, (min(low_j, max(0.0, own_j - missed_j)), max(high_j, own_j + missed_j)))


def _within(share: _Share, most_j: float) -> _Share:
    """`share` with an interval that does not pass what the whole device may have used at most."""
    if share.interval_j is None:
        return share
    return replace(share, interval_j=(share.interval_j[0], min(share.interval_j[1], most_j)))


def _unknown(channel: Channel, totals: DeviceAccount, part: PartAccount) -> str:
    """Why nobody can say what the run used of the device; empty where somebody can."""
    is_gpu = channel.sensor.device.kind == "gpu"
    if channel.source is None:
        return SILENT_DRIVER if is_gpu else SILENT_KERNEL
    nobody = part.energy_uj == 0 and _other_uj(totals, part) == 0
    return NOBODY_KNOWN if is_gpu and nobody and totals.unattributed_uj > CRUMB * totals.energy_uj else ""


def _most_of_gpu_j(totals: DeviceAccount, part: PartAccount, span: Span, high_j: float) -> float:
    """What the run may have used at most: unattributed energy may be its, and a short job's energy passes for idle."""
    if part.energy_uj == 0 and span.wall_s < SEEN_S:
        return (totals.energy_uj - _other_uj(totals, part)) / UJ_PER_J
    return high_j + totals.unattributed_uj / UJ_PER_J


def _other_uj(totals: DeviceAccount, part: PartAccount) -> int:
    """What other processes used."""
    return totals.energy_uj - totals.idle_uj - totals.unattributed_uj - part.energy_uj


def _peak_w(channel: Channel, mean_w: float | None) -> float | None:
    """The highest power read, never below the mean; None where too few readings were made."""
    peak_w = channel.power.peak_w
    if peak_w is None or mean_w is None or channel.covered_s < LEAST_READINGS * MIN_POWER_WINDOW_S:
        return None
    return max(peak_w, mean_w)
