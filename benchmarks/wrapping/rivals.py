"""The wrappers that this part is compared with, as PyPI has them, and how one is installed."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

REQUIREMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "codecarbon": ("codecarbon==3.3.2",),
        "carbontracker": ("carbontracker==2.4.7",),
        "perun": ("perun==1.0.0", "nvidia-ml-py"),
        "jpwr": ("jpwr==0.0.10", "nvidia-ml-py"),
        "joule-profiler": ("joule-profiler==0.0.1",),
        "zeus": ("zeus==0.16.0",),
        "con-duct": ("con-duct==0.23.0",),
        "psrecord": ("psrecord==1.4",),
    }
)
"""What to give to pip for each virtual environment; `perf` comes with the system."""


def install(name: str, requirements: Sequence[str], rivals: Path) -> Path:
    """The virtual environment of `name` below `rivals`, made where there is none yet.

    Raises:
        subprocess.CalledProcessError: pip has failed.
    """
    folder = rivals / name
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        subprocess.run([python, "-m", "pip", "install", *quiet, *requirements], check=True, stdout=sys.stderr)
        (folder / "installed").touch()
    return folder
