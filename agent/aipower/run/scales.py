"""The calibrations of this machine's sensors, for a run that goes on without them if need be."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from aipower.calibration.file import load_calibrations
from aipower.errors import UsageError
from aipower.model import Calibration
from aipower.run.console import in_one_line


class Scales(Struct, frozen=True):
    """What is known of the sensors' scales."""

    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """By device id."""
    problem: str = ""
    """Why nothing is known, in one line, although there is a file; empty where all is well."""


def load_scales(environ: Mapping[str, str]) -> Scales:
    """The calibrations of the files that hold for this user; none, and the reason, where a file is broken."""
    try:
        return Scales(load_calibrations(environ))
    except (UsageError, OSError) as error:
        return Scales(problem=f"measured without calibration: {in_one_line(error)}")
