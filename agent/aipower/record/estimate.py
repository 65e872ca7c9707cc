"""CPU energy by a model, where no sensor can be read. It stands beside the measured total and never enters it."""

from __future__ import annotations

from msgspec import Struct

LOW_W, MIDDLE_W, HIGH_W = 1.5, 5.0, 25.0
"""Watts that one busy logical CPU adds. Low: many-core servers (EPYC 7763: 280 W TDP for 128 threads = 2.2 W, of
which a part is static). Middle: cloud servers at full load, 3.5 to 4.3 W per vCPU (Cloud Carbon Footprint's averages
for AWS, GCP and Azure), plus memory controllers. High: one boosted core of a desktop processor (20 to 25 W)."""


class Estimate(Struct, frozen=True):
    """A guess with its range, in joules."""

    energy_j: float
    low_j: float
    high_j: float


def estimate_cpu(cpu_s: float, cpus: int, wall_s: float) -> Estimate:
    """Energy of `cpu_s` CPU seconds during `wall_s` on a machine of `cpus` logical CPUs.

    Busy cores = utilisation x cores = cpu_s / wall_s, at most all of them.
    """
    busy_s = min(cpu_s, cpus * wall_s) if wall_s > 0 else cpu_s
    return Estimate(MIDDLE_W * busy_s, LOW_W * busy_s, HIGH_W * busy_s)
