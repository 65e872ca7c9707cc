"""The programs with which the suite compares: pinned, each in a virtual environment of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

PINNED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "nvitop-exporter": ("nvitop-exporter==1.7.2", "nvitop==1.7.2"),
        "zeus": ("zeus==0.16.0",),
        "codecarbon": ("codecarbon==3.3.2",),
        "gpustat": ("gpustat==1.1.1",),
        "aluminatiai": ("aluminatiai[prometheus]==0.3.1",),
        "carbontracker": ("carbontracker==2.4.7",),
        "perun": ("perun==1.0.0", "nvidia-ml-py"),
        "jpwr": ("jpwr==0.0.10", "nvidia-ml-py"),
        "joule-profiler": ("joule-profiler==0.0.1",),
        "con-duct": ("con-duct==0.23.0",),
        "psrecord": ("psrecord==1.4",),
    }
)
"""What pip is asked for, by the name of the environment: those that watch a node, then those that wrap a command."""
STAMP = "installed"
NODE_EXPORTER = "prometheus-node-exporter"
_VERSIONS = (
    "import importlib.metadata as m; print(*sorted(f'{d.name} {d.version}' for d in m.distributions()), sep='\\n')"
)


def install(folder: Path) -> None:
    """Make the environments that are not there yet below `folder`; one that fails is named and left out."""
    for name, requirements in PINNED.items():
        if (folder / name / STAMP).exists():
            continue
        print(f"installing {name} into {folder / name}", file=sys.stderr)
        try:
            _make(folder / name, requirements)
        except subprocess.CalledProcessError:
            print(f"{name} cannot be installed: it is left out", file=sys.stderr)


def _make(place: Path, requirements: tuple[str, ...]) -> None:
    venv.create(place, with_pip=True, clear=True)
    pip = (str(place / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check")
    subprocess.run([*pip, *requirements], check=True, stdout=sys.stderr)
    (place / STAMP).touch()


def versions(folder: Path | None) -> dict[str, str]:
    """The version of each rival that is installed below `folder`, as its environment says it."""
    found: dict[str, str] = {}
    for place in sorted(folder.iterdir()) if folder is not None and folder.is_dir() else []:
        python = place / "bin" / "python"
        if (place / STAMP).exists() and python.exists():
            done = subprocess.run([str(python), "-c", _VERSIONS], capture_output=True, text=True, check=True)
            installed = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
            found[place.name] = installed.get(place.name, "unknown")
    return {**found, **_of_the_system()}


def _of_the_system() -> dict[str, str]:
    """The version of the node exporter that the system has, if it has one."""
    if shutil.which(NODE_EXPORTER) is None:
        return {}
    done = subprocess.run([NODE_EXPORTER, "--version"], capture_output=True, text=True, check=False)
    words = (done.stdout + done.stderr).split()
    return {NODE_EXPORTER: words[words.index("version") + 1] if "version" in words[:-1] else "unknown"}
