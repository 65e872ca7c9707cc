"""One device's row of the record: what it drew, what of it is the run's, and how far that may be off."""

from __future__ import annotations

import os

from msgspec import Struct

from aipower.books.accounts import DeviceAccount, PartAccount
from aipower.books.ledger import Ledger
from aipower.books.uncertainty import part_error, whole_error
from aipower.meter import MIN_POWER_WINDOW_S, Channel
from aipower.model import UJ_PER_J
from aipower.record.measured import RUN
from aipower.record.shares import Range, Share
from aipower.runrecord import CRUMB, DeviceRecord

SEEN_S = 0.5
"""Utilisation is sampled six times a second and holders are listed at the end: a shorter job may go unseen."""
MISSING_S = 0.02
"""Less is the roundness of the edges."""
LEAST_READINGS = 3
"""A peak of fewer readings of power says nothing."""
TICK_S = 0.01
"""CPU times in /proc are whole ticks of 10 ms (USER_HZ, the same on all architectures of today)."""
SILENT_DRIVER = "this driver does not say who works"
NOBODY_KNOWN = "nobody known worked on it: this driver does not say who works, or hides it"
SILENT_KERNEL = "/proc does not say who worked"


class Span(Struct, frozen=True):
    """What is known of the run as a whole."""

    wall_s: float
    uncounted_cpu_s: float
    """CPU seconds of the run that no window may have counted: at least a tick."""
    cpus: int


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
    whole, share = whole_of(channel, ledger, span), share_of(channel, ledger, span)
    return DeviceRecord(
        device=device.id,
        kind=device.kind,
        index=device.index,
        name=device.name,
        method=channel.energy.method,
        energy_j=energy_j if counted else None,
        interval_j=whole.absolute_j if counted else None,
        mean_w=mean_w,
        peak_w=_peak_w(channel, mean_w),
        run_energy_j=share.own.energy_j if share else None,
        run_interval_j=share.absolute_j if share else None,
        idle_j=totals.idle_uj / UJ_PER_J if counted else None,
        other_j=_other_uj(totals, part) / UJ_PER_J if counted else None,
        unattributed_j=totals.unattributed_uj / UJ_PER_J if counted else None,
        covered_s=min(channel.covered_s, span.wall_s),
        run_unknown=_unknown(channel, totals, part) if counted else "",
        calibration=channel.calibration.source,
        repeatable_interval_j=whole.repeatable_j if counted else None,
        repeatable_run_interval_j=share.repeatable_j if share else None,
    )


def whole_of(channel: Channel, ledger: Ledger, span: Span) -> Range:
    """What the device used, whoever used it; while it was not covered it may have used up to its peak."""
    device = channel.sensor.device
    energy_uj = ledger.totals(device.id).energy_uj
    error = whole_error(energy_uj, channel.covered_s, ledger.scale(device), channel.edge_uj)
    return Range(energy_uj / UJ_PER_J, error, more_j=_missing_j(channel, span))


def share_of(channel: Channel, ledger: Ledger, span: Span) -> Share | None:
    """The run's part of the device; None where nobody can say what it is."""
    device = channel.sensor.device
    totals, part = ledger.totals(device.id), ledger.run_part(RUN, device.id)
    if totals.energy_uj == 0 or _unknown(channel, totals, part):
        return None
    error = part_error(part, ledger.scale(device), channel.edge_uj if part.energy_uj else 0.0)
    missed_j = 0.0 if device.kind == "gpu" else _uncounted_j(totals, span)
    hidden_j = _hidden_j(totals, part, span) if device.kind == "gpu" else missed_j
    hidden_j += _missing_j(channel, span)
    return Share(Range(part.energy_uj / UJ_PER_J, error, missed_j, hidden_j), whole_of(channel, ledger, span))


def _missing_j(channel: Channel, span: Span) -> float:
    """What the device may have used while no reading told it, at the highest power that was read."""
    missing_s = span.wall_s - channel.covered_s
    return missing_s * (channel.power.peak_w or 0.0) if missing_s > MISSING_S else 0.0


def _uncounted_j(totals: DeviceAccount, span: Span) -> float:
    """What the CPU seconds that no window counted may have cost."""
    if span.wall_s <= 0:
        return totals.energy_uj / UJ_PER_J
    return totals.energy_uj / UJ_PER_J * min(1.0, span.uncounted_cpu_s / (span.cpus * span.wall_s))


def _unknown(channel: Channel, totals: DeviceAccount, part: PartAccount) -> str:
    """Why nobody can say what the run used of the device; empty where somebody can."""
    is_gpu = channel.sensor.device.kind == "gpu"
    if channel.source is None:
        return SILENT_DRIVER if is_gpu else SILENT_KERNEL
    nobody = part.energy_uj == 0 and _other_uj(totals, part) == 0
    return NOBODY_KNOWN if is_gpu and nobody and totals.unattributed_uj > CRUMB * totals.energy_uj else ""


def _hidden_j(totals: DeviceAccount, part: PartAccount, span: Span) -> float:
    """What more of a GPU may be the run's: unattributed energy, and idle energy, for which a short job's passes."""
    passes = part.energy_uj == 0 and span.wall_s < SEEN_S
    return (totals.unattributed_uj + (totals.idle_uj if passes else 0)) / UJ_PER_J


def _other_uj(totals: DeviceAccount, part: PartAccount) -> int:
    """What other processes used."""
    return totals.energy_uj - totals.idle_uj - totals.unattributed_uj - part.energy_uj


def _peak_w(channel: Channel, mean_w: float | None) -> float | None:
    """The highest power read, never below the mean; None where too few readings were made."""
    peak_w = channel.power.peak_w
    if peak_w is None or mean_w is None or channel.covered_s < LEAST_READINGS * MIN_POWER_WINDOW_S:
        return None
    return max(peak_w, mean_w)
