"""What the kernel shows of NVIDIA's driver and its GPUs, at the cost of listing a folder."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def signs(proc: Path = PROC) -> frozenset[str]:
    """The bus addresses of the GPUs that the driver has, and `loaded` while there is a driver; empty without one.

    When they change, a look at the driver is worth its cost. WSL and some containers never show any.
    """
    folder = proc / "driver" / "nvidia"
    try:
        gpus = frozenset(os.listdir(folder / "gpus"))  # noqa: PTH208 - only names are wanted
    except OSError:
        gpus = frozenset()
    return gpus | {"loaded"} if (folder / "version").exists() else gpus
