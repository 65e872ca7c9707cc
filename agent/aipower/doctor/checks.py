"""The list of checks."""

from __future__ import annotations

from functools import partial

from aipower.doctor import agent, calibration, nvidia, processes, rapl, system
from aipower.doctor.finding import Check
from aipower.doctor.world import World


def all_checks(world: World) -> tuple[Check, ...]:
    """Every check of `world`, in the order of the report. Making them looks at nothing yet."""
    return (
        Check("python", "Python", partial(system.python, world)),
        Check("kernel", "Kernel and system", partial(system.kernel, world)),
        Check("clock", "Clocks", partial(system.clock, world)),
        Check("pynvml", "NVIDIA bindings", partial(nvidia.bindings, world)),
        Check("nvidia", "NVIDIA driver", partial(nvidia.driver, world), nvidia.INIT_LIMIT_S),
        Check("rapl", "CPU energy (RAPL)", partial(rapl.counters, world)),
        Check("calibration", "Calibration", partial(calibration.files, world)),
        Check("pid-namespace", "PID namespace", partial(processes.pid_namespace, world)),
        Check("processes", "Processes", partial(processes.accounting, world)),
        Check("subreaper", "Subreaper", partial(processes.subreaper, world)),
        Check("agent", "Agent", partial(agent.reachable, world)),
        Check("runs", "Runs", partial(agent.runs, world)),
    )
