"""`kill -9` at random moments, power cuts and upgrades, with all counters compared: `python -m benchmarks.crash`."""
