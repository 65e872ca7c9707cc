"""The newest window of a device, as pages see it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from aipower.calibration.apply import read_uj
from aipower.calibration.entry import Z_95
from aipower.history.devicebook import Newest
from aipower.history.parts import NO_ERROR
from aipower.history.scale import energy_half_j
from aipower.model import UJ_PER_J, Attribution, Calibration, PartError, ProcessId
from aipower.site.history import Part, Window


def window_of(newest: Newest, offset_s: float) -> Window:
    """All of its parts; its times are `offset_s` earlier than on the history's axis."""
    attribution, delta = newest.attribution, newest.attribution.delta
    span_s, energy_j = newest.end_s - newest.start_s, delta.energy_uj / UJ_PER_J
    parts = _parts(attribution, newest.calibration, span_s * UJ_PER_J)
    return Window(
        delta.device.id,
        newest.start_s - offset_s,
        newest.end_s - offset_s,
        energy_j / span_s,
        energy_half_j(newest.calibration, energy_j, span_s) / span_s,
        attribution.idle_uj / UJ_PER_J / span_s,
        sum(attribution.context_uj.values()) / UJ_PER_J / span_s,
        sum(attribution.active_uj.values()) / UJ_PER_J / span_s,
        attribution.unattributed_uj / UJ_PER_J / span_s,
        parts,
        {job: Z_95 * _own_uj(error) / (span_s * UJ_PER_J) for job, error in attribution.job_errors.items()},
    )


def _own_uj(error: PartError) -> float:
    """Standard error of all but the scale."""
    return math.hypot(math.sqrt(error.variance_uj2), error.systematic_uj)


def _parts(attribution: Attribution, calibration: Calibration, uj_per_w: float) -> Mapping[ProcessId, Part]:
    context_uj, active_uj, errors = attribution.context_uj, attribution.active_uj, attribution.errors
    parts = {}
    for process in dict.fromkeys((*active_uj, *context_uj)):
        context, active = context_uj.get(process, 0), active_uj.get(process, 0)
        half_uj = _half_uj(calibration, context + active, errors.get(process, NO_ERROR))
        parts[process] = Part(context / uj_per_w, active / uj_per_w, half_uj / uj_per_w)
    return parts


def _half_uj(calibration: Calibration, energy_uj: int, error: PartError) -> float:
    """Half-width of the 95 % interval. The offset is not in it: the idle level was read from the same sensor."""
    scale_uj = calibration.error_uj(read_uj(calibration, energy_uj, 0.0), 0.0)
    return Z_95 * math.hypot(_own_uj(error), scale_uj)
