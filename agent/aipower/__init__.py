"""aipower: the power meter for AI jobs."""

__version__ = "0.1.0"
