"""aipower: the power meter for AI jobs."""

from importlib.metadata import version

__version__ = version("aipower")
