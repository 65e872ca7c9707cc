"""Simulated hardware with exactly known energy, driven through the real pipeline at accelerated time.

Run it from the repository root: `python -m benchmarks.accuracy --help`.
"""
