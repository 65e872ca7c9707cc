"""Means, intervals and tests of repeated measurements, in plain Python: nobody should wait for a numerical library."""

from aipower.statistics.means import (
    geometric_mean_interval,
    mean,
    mean_interval,
    relative_half_width,
    variance,
)

__all__ = ["geometric_mean_interval", "mean", "mean_interval", "relative_half_width", "variance"]
