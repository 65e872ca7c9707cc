"""Hostile inputs by the hundred thousand for all that the agent reads: `python -m benchmarks.fuzz --help`."""
