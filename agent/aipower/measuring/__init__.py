"""Measuring a part of a program from within."""

from aipower.measuring.measure import Measure, measure

__all__ = ["Measure", "measure"]
