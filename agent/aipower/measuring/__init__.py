"""Measuring a part of a program from within."""

from aipower.measuring.block import Measure, measure

__all__ = ["Measure", "measure"]
