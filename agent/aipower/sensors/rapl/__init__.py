"""CPU and memory energy from Linux's powercap (RAPL of Intel and AMD)."""

from aipower.sensors.rapl.discovery import discover
from aipower.sensors.rapl.zone import RaplSensor

__all__ = ["RaplSensor", "discover"]
