"""What is wrapped."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.wrapping.build import PYTHON, SOURCES
from benchmarks.wrapping.programs.halves import work

WIDTH = 8
"""So many children of the storm live at a time."""
HALF_S = 0.05
"""Of each tenth of a second."""
PROBE_UNITS = 20_000

TRUE: Sequence[str] = ("load", "FILE", "true")


def storm(kind: str, children: int) -> Sequence[str]:
    """`children` children which end at once; of kind `exec` each becomes another program before."""
    return ("load", "FILE", kind, str(children), str(WIDTH))


def script(units: int) -> Sequence[str]:
    """A Python program that works for half of a second and sleeps for the other half."""
    return (PYTHON, "-I", "-S", str(SOURCES / "halves.py"), "FILE", str(units))


def units_of_half() -> int:
    """How much the script has to do each time, so that it takes `HALF_S` on this machine."""
    return round(PROBE_UNITS * HALF_S / min(_probe_s() for _ in range(10)))


def _probe_s() -> float:
    began_s = time.process_time()
    work(PROBE_UNITS)
    return time.process_time() - began_s
