"""NVIDIA GPUs through NVML."""

from aipower.sensors.nvml.discover import discover

__all__ = ["discover"]
