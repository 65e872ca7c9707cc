"""Instructions that one call of the driver takes, through pynvml and past it, as valgrind's callgrind counts them.

Two runs that differ by so many calls and in nothing else: their difference is that of the calls.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

CALLS = 400
_COLLECTED = re.compile(r"Collected : (\d+)")
_OPEN = (
    "import pynvml\n"
    "from aipower.sensors.nvml.driver import Driver\n"
    "from aipower.sensors.nvml.direct import FieldTable, HolderTable\n"
    "driver = Driver(pynvml)\n"
    "driver.open()\n"
    "gpu = pynvml.nvmlDeviceGetHandleByIndex(0)\n"
    "energy = [pynvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION, pynvml.NVML_FI_DEV_POWER_INSTANT]\n"
)
WAYS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "energy and power, pynvml": ("pass", "pynvml.nvmlDeviceGetFieldValues(gpu, energy)"),
        "energy and power, aipower": ("table = FieldTable(driver, gpu, energy)", "table.read()"),
        "holders of contexts, pynvml": ("pass", "pynvml.nvmlDeviceGetComputeRunningProcesses(gpu)"),
        "holders of contexts, aipower": (
            "table = HolderTable(driver, gpu, 'nvmlDeviceGetComputeRunningProcesses_v3')",
            "table.read()",
        ),
    }
)
"""What is set up once, and what is called again and again."""


def instructions(variables: Mapping[str, str], scratch: Path) -> Mapping[str, float]:
    """Instructions of each way, with what the simulated driver itself needs.

    Raises:
        RuntimeError: There is no valgrind, or a run of it has failed.
    """
    if shutil.which("valgrind") is None:
        raise RuntimeError("callgrind is valgrind's: install it (Debian: apt install valgrind)")
    return {name: _of_one(way, variables, scratch) for name, way in WAYS.items()}


def _of_one(way: tuple[str, str], variables: Mapping[str, str], scratch: Path) -> float:
    few, many = (_counted(way, calls, variables, scratch) for calls in (CALLS, 2 * CALLS))
    return (many - few) / CALLS


def _counted(way: tuple[str, str], calls: int, variables: Mapping[str, str], scratch: Path) -> int:
    code = f"{_OPEN}{way[0]}\nfor _ in range({calls}):\n    {way[1]}\n"
    done = subprocess.run(_command(code, scratch), env=dict(variables), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"callgrind has failed:\n{done.stderr[-1000:]}")
    return collected(done.stderr)


def _command(code: str, scratch: Path) -> Sequence[str]:
    return [
        "valgrind",
        "--tool=callgrind",
        f"--callgrind-out-file={scratch / 'callgrind'}",
        sys.executable,
        "-c",
        code,
    ]


def collected(told: str) -> int:
    """The instructions that callgrind tells at its end.

    Raises:
        RuntimeError: It tells none.
    """
    found = _COLLECTED.search(told)
    if found is None:
        raise RuntimeError(f"callgrind tells no figure:\n{told[-1000:]}")
    return int(found[1])
