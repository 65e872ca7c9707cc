"""The record's rows of phases: energies by kind, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from aipower.books.accounts import PartAccount
from aipower.books.ledger import Ledger
from aipower.books.uncertainty import part_error
from aipower.meter import Channel
from aipower.model import UJ_PER_J
from aipower.record.device_rows import Span, share_of
from aipower.record.measured import RUN
from aipower.record.phases.book import Part, PhaseBook
from aipower.record.phases.marks import Marks, Tally
from aipower.record.phases.teller import OUTSIDE, Path
from aipower.record.shares import Range, Share, sums_by_kind
from aipower.runrecord import Energies, Intervals, PhasePart, PhaseRecord

END_S = 0.5
"""A phase that comes so near to an end of the run has the error of that end."""
EDGE_PERIODS = 1.0
"""Where an end of the run cuts a piece, it cannot be off by more than what the device draws in so many periods."""
OTHERS_SE = 0.8
"""Standard error of a phase's part of what it shares with other processes, in units of the root of both parts."""
BLURRED = 0.2
"""Where more of a phase's time lies in pieces of energy with several edges, its energy rests on time."""


class _Device(Struct, frozen=True):
    """A device and the run's part of it."""

    id: str
    kind: str
    whole_j: float
    share: Share | None
    run: PartAccount
    edge_uj: float
    """Error of the run's ends, and what is doubtful about the device as a whole."""
    most_edge_uj: float
    """More than this it cannot be off at its ends: what is beyond is doubt, and goes by energy."""
    unattributed_j: float
    others: float
    """Share of the device's work that was not the run's."""
    time_s: float
    """For how long the run's processes worked on it, each counted by itself."""
    channel: Channel


def phase_rows(
    marks: Marks, book: PhaseBook, channels: Sequence[Channel], ledger: Ledger, span: Span
) -> list[PhaseRecord]:
    """A row for each phase, and one for the time outside of all; none where nobody told of any."""
    if not marks.told:
        return []
    devices = [_device(channel, book, ledger, span) for channel in channels]
    outside = Tally(1, max(0.0, span.wall_s - marks.inside_s))
    tallies: Mapping[Path, Tally] = {**marks.tallies, OUTSIDE: outside}
    return [_row(path, tally, devices, book, ledger, span) for path, tally in tallies.items()]


def _device(channel: Channel, book: PhaseBook, ledger: Ledger, span: Span) -> _Device:
    device = channel.sensor.device
    totals, run = ledger.totals(device.id), ledger.run_part(RUN, device.id)
    work_uj = totals.energy_uj - totals.idle_uj
    peak_w = channel.power.peak_w or (
        totals.energy_uj / UJ_PER_J / channel.covered_s if channel.covered_s > 0 else 0.0
    )
    return _Device(
        device.id,
        device.kind,
        totals.energy_uj / UJ_PER_J,
        share_of(channel, ledger, span),
        run,
        channel.edge_uj,
        peak_w * EDGE_PERIODS * channel.energy.period_s * UJ_PER_J,
        totals.unattributed_uj / UJ_PER_J,
        max(0.0, 1 - run.energy_uj / work_uj) if work_uj > 0 else 0.0,
        sum(part.time_s for (id_, path), part in book.parts.items() if id_ == device.id and len(path) <= 1),
        channel,
    )


def _row(
    path: Path, tally: Tally, devices: Sequence[_Device], book: PhaseBook, ledger: Ledger, span: Span
) -> PhaseRecord:
    parts = {one.id: book.parts.get((one.id, path), Part()) for one in devices}
    at_end = path == OUTSIDE or _touches_an_end(tally, span)
    ranges = {
        one.id: _range(one, parts[one.id], tally.wall_s, ledger, span, at_end=at_end) for one in devices if one.share
    }
    sums = sums_by_kind((one.kind, _bounded(ranges[one.id], one)) for one in devices if one.id in ranges)
    return PhaseRecord(
        path=list(path),
        count=tally.count,
        wall_s=tally.wall_s,
        energy_j=Energies(**{kind: found.own.energy_j for kind, found in sums.items()}),
        interval_j=Intervals(**{kind: found.absolute_j for kind, found in sums.items()}),
        repeatable_interval_j=Intervals(**{kind: found.repeatable_j for kind, found in sums.items()}),
        resolved=all(part.blurred_s <= BLURRED * part.time_s for part in parts.values() if part.own_uj),
        work=dict(tally.work),
        spans=tally.spans.listed(),
        devices=[_part(one, ranges.get(one.id), book.devices_uj.get((one.id, path), 0.0)) for one in devices],
    )


def _touches_an_end(tally: Tally, span: Span) -> bool:
    spans = tally.spans.listed()
    return bool(spans) and (spans[0][0] < END_S or spans[-1][1] > span.wall_s - END_S)


def _range(one: _Device, part: Part, wall_s: float, ledger: Ledger, span: Span, *, at_end: bool) -> Range:
    """What the run used of the device in the phase, and how far that may be off.

    What may be hidden from the run as a whole may be so in the phase by its energy, or by its time if that is more.
    """
    run, own = one.run, one.share.own if one.share else Range()
    share = part.own_uj / run.energy_uj if run.energy_uj else 0.0
    time = part.time_s / one.time_s if one.time_s > 0 else 0.0
    # Without others all doubt is of the idle level, which goes by time; between processes it goes by energy.
    shared = (1 - one.others) * time + one.others * max(share, time)
    systematic_uj = run.systematic_uj * shared + part.systematic_uj
    # Who shares a device is told apart by busy time: that a phase works harder than others does not show in it.
    systematic_uj += OTHERS_SE * part.shared_uj * math.sqrt(max(0.0, 1 - share**2))
    account = PartAccount(0, part.own_uj, run.variance_uj2 * share + part.variance_uj2, systematic_uj)
    doubt_uj = math.sqrt(max(0.0, one.edge_uj**2 - one.most_edge_uj**2)) * share if run.energy_uj else 0.0
    # At its own end a phase cannot be off by more than what it draws in a period.
    most_uj = part.own_uj / part.time_s * EDGE_PERIODS * one.channel.energy.period_s if part.time_s > 0 else 0.0
    edge_uj = min(one.edge_uj, one.most_edge_uj, most_uj) if at_end else 0.0
    error = part_error(account, ledger.scale(one.channel.sensor.device), math.hypot(edge_uj, doubt_uj))
    wall = min(1.0, wall_s / span.wall_s) if span.wall_s > 0 else 1.0
    # What of a GPU the run may have more is mostly what nobody is named for, and when that was is known.
    hidden_j = part.hidden_uj / UJ_PER_J if one.kind == "gpu" else 0.0
    beyond_j = own.more_j - min(own.more_j, one.unattributed_j if one.kind == "gpu" else 0.0)
    return Range(part.own_uj / UJ_PER_J, error, own.less_j * share, hidden_j + beyond_j * max(share, wall))


def _bounded(found: Range, one: _Device) -> Share:
    """No phase has more than the run may have."""
    return Share(found, Range(one.share.absolute_j[1] if one.share else 0.0))


def _part(one: _Device, found: Range | None, whole_uj: float) -> PhasePart:
    own_j = found.energy_j if found else None
    return PhasePart(one.id, whole_uj / UJ_PER_J, own_j, found.absolute_j if found else None)
