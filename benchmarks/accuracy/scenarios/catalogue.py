"""All scenarios by name."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from benchmarks.accuracy.case import Scenario
from benchmarks.accuracy.scenarios import broken, calibration, cpu, device, mig, parked, processes

FAMILIES = (device, processes, parked, cpu, mig, calibration, broken)


def catalogue() -> Mapping[str, Scenario]:
    """Every scenario by its name, in order."""
    return {scenario.name: scenario for family in FAMILIES for scenario in family.scenarios()}


def matching(pattern: str) -> list[Scenario]:
    """The scenarios whose names match the glob `pattern`."""
    return [scenario for name, scenario in catalogue().items() if fnmatchcase(name, pattern)]
