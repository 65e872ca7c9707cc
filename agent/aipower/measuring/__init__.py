"""Measuring a part of a program from within."""

from aipower.imports.unbroken import imports

with imports():  # of a script or a notebook, where Ctrl-C may come at any time
    from aipower.measuring.block import Measure, measure

__all__ = ["Measure", "measure"]
