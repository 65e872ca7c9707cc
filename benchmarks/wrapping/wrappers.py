"""The command lines of the others. Each runs in an empty folder of its own and sees the same eight GPUs.

For the energy of processors they look into /sys, where a virtual machine has nothing for them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.wrapping.arms import Argv, Arm
from benchmarks.wrapping.trial import ERRORS

DRIVERS = Path(__file__).parent / "drivers"
GPUS = "whole GPUs"


def others(rivals: Path) -> tuple[tuple[Arm, ...], tuple[str, ...]]:
    """Those that are installed, and the names of those that are not."""
    wanted = (_perf(), *_installed(rivals))
    missing = tuple(arm.name for arm in wanted if not _there(arm))
    return tuple(arm for arm in wanted if arm.name not in missing), missing


def perf_version() -> str:
    """What `perf` says of itself; empty where there is none."""
    if shutil.which("perf") is None:
        return ""
    return subprocess.run(["perf", "--version"], capture_output=True, text=True, check=False).stdout.strip()


def counted_by_perf_s(folder: Path) -> float | None:
    """From the line of `perf stat` that tells the task clock."""
    found = re.search(r"([\d.,]+) msec task-clock", (folder / ERRORS).read_text())
    return float(found[1].replace(",", "")) / 1000 if found else None


def counted_by_joule_profiler_s(folder: Path) -> float | None:
    """From the lines of its source `procfs`."""
    found = re.findall(r"proc_cpu_(?:user|system) (\d+) ms", (folder / ERRORS).read_text())
    return sum(map(int, found)) / 1000 if found else None


def _perf() -> Arm:
    return Arm("perf stat", "none", _before("perf", "stat"), account=counted_by_perf_s)


def _installed(rivals: Path) -> tuple[Arm, ...]:
    """One per virtual environment below `rivals`; all but one take seconds to start."""
    return (
        Arm(
            "joule-profiler (Python API)",
            GPUS,
            _driven(rivals, "joule-profiler", "joule_profiler_run.py"),
            account=counted_by_joule_profiler_s,
        ),
        Arm("con-duct run", "none", _before(_program(rivals, "con-duct"), "run", "-p", "log_")),
        Arm("psrecord", "none", _psrecord(rivals)),
        Arm("codecarbon monitor", f"{GPUS}, CPU estimated", _codecarbon(rivals), slow=True),
        Arm("carbontracker", f"{GPUS}, CPU estimated", _before(_program(rivals, "carbontracker")), slow=True),
        Arm("perun monitor", GPUS, _before(_program(rivals, "perun"), "monitor", "-b"), slow=True),
        Arm("jpwr", GPUS, _jpwr(rivals), slow=True),
        Arm("zeus (window in Python)", GPUS, _driven(rivals, "zeus", "zeus_window.py"), slow=True),
    )


def _there(arm: Arm) -> bool:
    return shutil.which(arm.argv(Path(), ["true"])[0]) is not None


def _program(rivals: Path, name: str) -> str:
    return str(rivals / name / "bin" / name)


def _before(*words: str) -> Argv:
    return lambda _, command: [*words, *command]


def _driven(rivals: Path, name: str, driver: str) -> Argv:
    return _before(str(rivals / name / "bin" / "python"), str(DRIVERS / driver))


def _codecarbon(rivals: Path) -> Argv:
    return _before(_program(rivals, "codecarbon"), "monitor", "--offline", "--country-iso-code", "FRA", "--")


def _jpwr(rivals: Path) -> Argv:
    """Only this end of its options keeps it from taking the command for another method."""
    return _before(_program(rivals, "jpwr"), "--methods", "pynvml", "--df-out", "power", "--df-filetype", "csv")


def _psrecord(rivals: Path) -> Argv:
    def argv(folder: Path, command: Sequence[str]) -> Sequence[str]:
        words = ["--log", str(folder / "log"), "--include-children", "--interval", "0.1"]
        return [_program(rivals, "psrecord"), " ".join(command), *words]

    return argv
