"""NVIDIA GPUs through NVML. Most of it is imported late: a machine without the driver does not need it."""

from __future__ import annotations

from pathlib import Path

from aipower.seams import Clock, SensorSet, SystemClock


def discover(root: Path = Path("/proc"), clock: Clock | None = None) -> SensorSet:
    """The GPUs of this machine, or why there are none; `root` is where the processes that use them are looked up."""
    from aipower.processes.procfs import ProcFs  # noqa: PLC0415 - see above
    from aipower.processes.table import ProcessTable  # noqa: PLC0415 - see above
    from aipower.sensors.nvml import presence  # noqa: PLC0415 - see above

    if (missing := presence.missing()) is not None:
        return SensorSet(unavailable=[missing])
    import pynvml  # noqa: PLC0415 - see above

    from aipower.sensors.nvml.discovery import discover as discover_with  # noqa: PLC0415 - see above

    clock = clock or SystemClock()
    return discover_with(pynvml, ProcessTable(ProcFs(root), clock).resolve_gpus, clock)
