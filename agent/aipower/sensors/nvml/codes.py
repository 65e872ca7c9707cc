"""NVML's answers: what their codes mean to us, and what a person can do about them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aipower.errors import SensorError, SensorFailedError, SensorGoneError, SensorUnavailableError

OK, UNINITIALIZED, INVALID_ARGUMENT, NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, INSUFFICIENT_SIZE = 0, 1, 2, 3, 4, 6, 7
DRIVER_NOT_LOADED, TIMEOUT, LIBRARY_NOT_FOUND, FUNCTION_NOT_FOUND, GPU_IS_LOST, RESET_REQUIRED = 9, 10, 12, 13, 15, 16
VERSION_MISMATCH, GPU_NOT_FOUND, UNKNOWN = 18, 28, 999
"""nvmlReturn_t of nvml.h, stable since they are its ABI."""

NEVER = frozenset({INVALID_ARGUMENT, NOT_SUPPORTED, NO_PERMISSION, FUNCTION_NOT_FOUND})
"""Answers that a repetition does not change."""
GONE = frozenset({UNINITIALIZED, DRIVER_NOT_LOADED, GPU_IS_LOST, RESET_REQUIRED, VERSION_MISMATCH, GPU_NOT_FOUND})
"""Answers after which the device has to be looked for anew."""
SESSION_OVER = frozenset({UNINITIALIZED, DRIVER_NOT_LOADED, VERSION_MISMATCH})
"""Those of a driver that has left with all its devices. NVML counts who uses a session, and starts a fresh one only
after the last has ended the old one (nvmlInit_v2 and nvmlShutdown in nvml.h)."""

KERNEL_LOG = "see `sudo dmesg | grep -i -e nvrm -e xid`"

REMEDIES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        LIBRARY_NOT_FOUND: (
            "the NVIDIA driver's library libnvidia-ml.so.1 is not installed",
            "install the NVIDIA driver; in a container start it with `--gpus all` and the `utility` capability",
        ),
        DRIVER_NOT_LOADED: ("the NVIDIA driver is not loaded", f"load it (`sudo modprobe nvidia`) and {KERNEL_LOG}"),
        NO_PERMISSION: (
            "no permission to use the NVIDIA driver",
            "let this user read and write /dev/nvidiactl and /dev/nvidia*",
        ),
        VERSION_MISMATCH: (
            "the NVIDIA library and kernel module are of different versions",
            "reboot, or reload the module, after the driver's update",
        ),
        GPU_IS_LOST: ("the GPU has fallen off the bus", f"{KERNEL_LOG}, then reboot"),
        RESET_REQUIRED: ("the GPU needs a reset", "end its jobs, then `sudo nvidia-smi --gpu-reset -i INDEX`"),
        TIMEOUT: ("the NVIDIA driver did not answer in time", f"try again; if it lasts {KERNEL_LOG}"),
        UNKNOWN: (
            "the NVIDIA driver failed without a reason",
            f"in a container restart it, it may have lost its devices; elsewhere {KERNEL_LOG}",
        ),
    }
)
DEFAULT_REMEDY = "see what `nvidia-smi` says"


class CallError(Exception):
    """An NVML call failed with `code`."""

    def __init__(self, function: str, code: int, text: str) -> None:
        super().__init__(f"{function}: {' '.join(text.split())} (NVML {code})")
        self.code = code

    @property
    def remedy(self) -> str:
        """What a person can do, in one line."""
        return REMEDIES.get(self.code, ("", DEFAULT_REMEDY))[1]

    def as_sensor_error(self) -> SensorError:
        """What it means for the sensor that made the call."""
        message = f"{self}: {self.remedy}"
        if self.code in GONE:
            return SensorGoneError("gone", message)
        return SensorFailedError("read_failed", message)

    def as_unavailable(self, reason: str) -> SensorUnavailableError:
        """What it means at discovery; `reason` is the short stable word."""
        return SensorUnavailableError(reason, REMEDIES.get(self.code, (str(self), ""))[0], self.remedy)
