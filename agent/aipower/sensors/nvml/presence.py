"""Is there an NVIDIA driver at all? Asked first, because the binding alone takes longer to load than `true` to run."""

from __future__ import annotations

import ctypes

from aipower.model import Unavailable
from aipower.sensors.nvml.codes import LIBRARY_NOT_FOUND, REMEDIES

SOURCE = "GPU (NVML)"
LIBRARY = "libnvidia-ml.so.1"
"""The name that pynvml loads as well."""


def missing() -> Unavailable | None:
    """Why GPUs cannot be measured if the driver's library is not installed; None if it is."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        reason, remedy = REMEDIES[LIBRARY_NOT_FOUND]
        return Unavailable(SOURCE, "gpu", reason, remedy)
    return None
