"""Hours of an agent's life in minutes, with its memory, descriptors and lateness: `python -m benchmarks.soak`."""
