"""What is taken for true of intensities before there is evidence."""

from __future__ import annotations

from collections.abc import Mapping

from aipower.attribution.evidence import Evidence, Prior
from aipower.attribution.work import MEASURE, STATIC, STEP

PROGRAM_SE = 0.6
"""Programs on one device differ so much, as a share of the mean: 350 W beside 150 W is +40 and -40 %, 400 W beside
60 W is not rare (science of F3)."""
STEP_W, STEP_SE_W = 40.0, 30.0
"""A context adds 26 to 66 W (arXiv 2605.23918)."""
MEASURE_SE = 1.0
"""What a measure of activity (SM, tensor, memory) costs may be nothing, or twice the mean."""


def of_programs(evidence: Evidence) -> Mapping[str, Prior]:
    """All columns have the mean of all work."""
    busy_s = sum(evidence.total_s(column) for column in evidence.columns if column != STEP)
    mean_w = evidence.energy_j / busy_s if busy_s > 0 else 0.0
    return {column: _of_program(column, mean_w) for column in evidence.columns}


def _of_program(column: str, mean_w: float) -> Prior:
    if column == STEP:
        return Prior(STEP_W, STEP_SE_W)
    return Prior(mean_w, mean_w * (MEASURE_SE if column.startswith(MEASURE) else PROGRAM_SE))


def of_processors(evidence: Evidence, static: Prior) -> Mapping[str, Prior]:
    """The static power as its baseline has it, and for programs the mean of what is left."""
    span_s = evidence.total_s(STATIC)
    busy_s = sum(evidence.total_s(column) for column in evidence.columns if column != STATIC)
    left_j = max(0.0, evidence.energy_j - static.mean_w * span_s)
    mean_w = left_j / busy_s if busy_s > 0 else 0.0
    most_w = evidence.energy_j / busy_s if busy_s > 0 else 0.0
    program = Prior(mean_w, PROGRAM_SE * max(mean_w, most_w / 4))
    return {column: static if column == STATIC else program for column in evidence.columns}
