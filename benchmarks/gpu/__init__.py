"""Experiments that settle what the sensors of a real NVIDIA GPU do: `python -m benchmarks.gpu`."""
