"""`python -m aipower`."""

from aipower.cli import entry_point

entry_point()
