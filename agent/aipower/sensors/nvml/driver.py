"""The one place where `pynvml` is called: every way it can fail becomes a `CallError` with NVML's code."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aipower.errors import SensorError, SensorFailedError, SensorGoneError, SensorUnavailableError

log = logging.getLogger(__name__)

UNINITIALIZED, INVALID_ARGUMENT, NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, INSUFFICIENT_SIZE = 1, 2, 3, 4, 6, 7
DRIVER_NOT_LOADED, TIMEOUT, LIBRARY_NOT_FOUND, FUNCTION_NOT_FOUND, GPU_IS_LOST, RESET_REQUIRED = 9, 10, 12, 13, 15, 16
VERSION_MISMATCH, GPU_NOT_FOUND, UNKNOWN = 18, 28, 999
"""nvmlReturn_t of nvml.h, stable since they are its ABI."""

NEVER = frozenset({INVALID_ARGUMENT, NOT_SUPPORTED, NO_PERMISSION, FUNCTION_NOT_FOUND})
"""Answers that will not change while the driver is loaded."""
GONE = frozenset({UNINITIALIZED, DRIVER_NOT_LOADED, GPU_IS_LOST, RESET_REQUIRED, VERSION_MISMATCH, GPU_NOT_FOUND})
"""Answers after which the device has to be looked for anew."""

REMEDIES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        LIBRARY_NOT_FOUND: (
            "the NVIDIA driver's library libnvidia-ml.so.1 is not installed",
            "install the NVIDIA driver; in a container start it with `--gpus all` and the `utility` capability",
        ),
        DRIVER_NOT_LOADED: (
            "the NVIDIA driver is not loaded",
            "load it (`sudo modprobe nvidia`) and see `dmesg | grep -i nvidia`",
        ),
        NO_PERMISSION: (
            "no permission to use the NVIDIA driver",
            "let this user read and write /dev/nvidiactl and /dev/nvidia*",
        ),
        VERSION_MISMATCH: (
            "the NVIDIA library and kernel module are of different versions",
            "reboot, or reload the module, after the driver's update",
        ),
    }
)


class CallError(Exception):
    """An NVML call failed with `code`."""

    def __init__(self, function: str, code: int, text: str) -> None:
        super().__init__(f"{function}: {text} (NVML {code})")
        self.code = code

    def as_sensor_error(self) -> SensorError:
        """What it means for the sensor that made the call."""
        if self.code in GONE:
            return SensorGoneError("gone", str(self))
        return SensorFailedError("read_failed", str(self))


class Driver:
    """A session with NVML. `nvml` is the module `pynvml` (package nvidia-ml-py), or what looks like it."""

    def __init__(self, nvml: Any) -> None:  # noqa: ANN401 - pynvml has no types
        self.nvml = nvml
        self._open = False

    def open(self) -> None:
        """Start the session.

        Raises:
            SensorUnavailableError: There is no usable driver; the remedy says what to do.
        """
        try:
            self.call("nvmlInit")
        except CallError as error:
            reason, remedy = REMEDIES.get(error.code, (str(error), "see what `nvidia-smi` says"))
            raise SensorUnavailableError("no_driver", reason, remedy) from error
        self._open = True

    def close(self) -> None:
        """End the session; safe to call twice."""
        if not self._open:
            return
        self._open = False
        try:
            self.call("nvmlShutdown")
        except CallError as error:
            log.debug("%s", error)

    def call(self, function: str, *arguments: Any) -> Any:  # noqa: ANN401 - as pynvml
        """What `function` answers.

        Raises:
            CallError: It failed, is missing in the driver or in pynvml, or answered what pynvml cannot read.
        """
        try:
            return getattr(self.nvml, function)(*arguments)
        except self.nvml.NVMLError as error:
            raise CallError(function, int(error.value), _text(error)) from error
        except (AttributeError, OSError) as error:
            raise CallError(function, FUNCTION_NOT_FOUND, str(error)) from error
        except Exception as error:  # pynvml raises its own bare classes (NVMLLibraryMismatchError) and decoding errors
            code = FUNCTION_NOT_FOUND if type(error).__name__ == "NVMLLibraryMismatchError" else UNKNOWN
            raise CallError(function, code, str(error) or type(error).__name__) from error

    def text(self, function: str, *arguments: Any) -> str:  # noqa: ANN401 - as pynvml
        """A string that `function` answers, "" where it fails; older versions of pynvml answer in bytes."""
        try:
            answer = self.call(function, *arguments)
        except CallError as error:
            log.debug("%s", error)
            return ""
        return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)

    def number(self, function: str, *arguments: Any) -> int | None:  # noqa: ANN401 - as pynvml
        """A number that `function` answers, None where it fails."""
        try:
            return int(self.call(function, *arguments))
        except (CallError, TypeError, ValueError) as error:
            log.debug("%s", error)
            return None


def _text(error: Exception) -> str:
    """NVML's words for an error; asking for them can fail as well."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - pynvml calls into the driver to spell an unknown code
        return "unknown error"
