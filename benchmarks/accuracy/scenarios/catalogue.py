"""All scenarios by name."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from benchmarks.accuracy.case import Scenario
from benchmarks.accuracy.scenarios import (
    again,
    broken,
    calibration,
    cpu,
    device,
    driver,
    faults,
    mig,
    parked,
    processes,
    programs,
    several,
)

FAMILIES = (device, processes, programs, parked, cpu, mig, several, again, calibration, faults, driver, broken)


def catalogue() -> Mapping[str, Scenario]:
    """Every scenario by its name, in order."""
    return {scenario.name: scenario for family in FAMILIES for scenario in family.scenarios()}


def matching(pattern: str) -> list[Scenario]:
    """The scenarios whose names match the glob `pattern`."""
    return [scenario for name, scenario in catalogue().items() if fnmatchcase(name, pattern)]
