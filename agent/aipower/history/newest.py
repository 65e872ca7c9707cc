"""The newest window of a device, as pages see it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from aipower.calibration.entry import Z_95
from aipower.history.devicebook import Newest
from aipower.history.later import Later
from aipower.history.parts import NO_ERROR
from aipower.history.scale import energy_half_j
from aipower.model import UJ_PER_J, Attribution, Calibration, JobKey, PartError, ProcessId
from aipower.site.history import Part, Window


def window_of(newest: Newest, offset_s: float) -> Window:
    """All of its parts; its times are `offset_s` earlier than on the history's axis."""
    attribution, delta = newest.attribution, newest.attribution.delta
    span_s, energy_j = newest.end_s - newest.start_s, delta.energy_uj / UJ_PER_J
    uj_per_w = span_s * UJ_PER_J
    return Window(
        delta.device.id,
        newest.start_s - offset_s,
        newest.end_s - offset_s,
        energy_j / span_s,
        energy_half_j(newest.calibration, energy_j, span_s) / span_s,
        attribution.idle_uj / uj_per_w,
        sum(attribution.context_uj.values()) / uj_per_w,
        sum(attribution.active_uj.values()) / uj_per_w,
        attribution.unattributed_uj / uj_per_w,
        Later(lambda: _parts(attribution, newest.calibration, uj_per_w)),
        Later(lambda: _job_halves_w(attribution, uj_per_w)),
    )


def _job_halves_w(attribution: Attribution, uj_per_w: float) -> Mapping[JobKey, float]:
    return {job: Z_95 * math.sqrt(_own_uj2(error)) / uj_per_w for job, error in attribution.job_errors.items()}


def _own_uj2(error: PartError) -> float:
    """Variance of all but the scale."""
    return error.variance_uj2 + error.systematic_uj * error.systematic_uj


def _parts(attribution: Attribution, calibration: Calibration, uj_per_w: float) -> Mapping[ProcessId, Part]:
    context_uj, active_uj, errors = attribution.context_uj, attribution.active_uj, attribution.errors
    gain = calibration.gain_se / calibration.gain
    parts: dict[ProcessId, Part] = {}
    # This is done for hundreds of processes a second, and each takes long to look up: sets know where theirs are.
    for process, active in (*active_uj.items(), *((one, 0) for one in set(context_uj).difference(active_uj))):
        context = context_uj.get(process, 0) if context_uj else 0
        # The offset is not in it: the idle level was read from the same sensor.
        scale_uj = gain * (context + active)
        half_uj = Z_95 * math.sqrt(_own_uj2(errors.get(process, NO_ERROR)) + scale_uj * scale_uj)
        parts[process] = Part(context / uj_per_w, active / uj_per_w, half_uj / uj_per_w)
    return parts
