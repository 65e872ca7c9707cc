"""One GPU by plain pynvml, apart from aipower's own reading: a judge must not share the mistakes of the judged."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

ENERGY, AVERAGE, INSTANT = 83, 185, 186
"""NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION (mJ), _POWER_AVERAGE and _POWER_INSTANT (mW), nvml.h."""
GPU_SCOPE, MODULE_SCOPE, MEMORY_SCOPE = 0, 1, 2
"""NVML_POWER_SCOPE_*, by the macros of nvml.h."""
NOT_SUPPORTED, NOT_FOUND, FUNCTION_NOT_FOUND, UNKNOWN = 3, 6, 13, 999
"""nvmlReturn_t, nvml.h."""
MEMBERS: Mapping[int, str] = MappingProxyType(
    {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}
)
"""The member of nvmlValue_t that each nvmlValueType_t fills."""


class NoCardError(Exception):
    """There is no GPU to ask; the message is one line for people."""


class CallFailedError(Exception):
    """An NVML call failed with `code`."""

    def __init__(self, function: str, code: int, text: str) -> None:
        super().__init__(f"{function}: {text} (NVML {code})")
        self.code = code


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A field's number, and the driver's stamp on it in microseconds since 1970."""

    value: int
    at_us: int


class Card:
    """One GPU. `nvml` is the module `pynvml` (package nvidia-ml-py)."""

    def __init__(self, nvml: Any, handle: Any) -> None:  # noqa: ANN401 - pynvml has no types
        self.nvml = nvml
        self._handle = handle

    def call(self, function: str, *arguments: object) -> Any:  # noqa: ANN401 - as pynvml
        """What `function` answers for this GPU.

        Raises:
            CallFailedError: It failed, or is missing in the driver or in pynvml.
        """
        return self.ask(function, self._handle, *arguments)

    def ask(self, function: str, *arguments: Any) -> Any:  # noqa: ANN401 - as pynvml
        """What `function` answers, without this GPU's handle in front of the arguments.

        Raises:
            CallFailedError: As `call`.
        """
        try:
            return getattr(self.nvml, function)(*arguments)
        except self.nvml.NVMLError as error:
            code = int(error.value)
            raise CallFailedError(function, code, str(error)) from error
        except AttributeError as error:
            raise CallFailedError(function, FUNCTION_NOT_FOUND, str(error)) from error

    def energy_mj(self) -> int:
        """The energy counter in millijoules.

        Raises:
            CallFailedError: As `call`.
        """
        return int(self.call("nvmlDeviceGetTotalEnergyConsumption"))

    def field(self, field: int, scope: int = GPU_SCOPE) -> FieldValue:
        """One field of one scope.

        Raises:
            CallFailedError: The field has no value here.
        """
        answer = self.call("nvmlDeviceGetFieldValues", [(field, scope)])[0]
        name = f"field {field} of scope {scope}"
        if answer.nvmlReturn != 0:
            raise CallFailedError(name, int(answer.nvmlReturn), "no value")
        if answer.valueType not in MEMBERS:
            raise CallFailedError(name, UNKNOWN, f"unknown type {answer.valueType}")
        return FieldValue(int(getattr(answer.value, MEMBERS[answer.valueType])), int(answer.timestamp))

    def has(self, field: int, scope: int = GPU_SCOPE) -> bool:
        """Whether the field has a value here."""
        try:
            self.field(field, scope)
        except CallFailedError:
            return False
        return True

    def text(self, function: str, *arguments: object, device: bool = True) -> str:
        """An answer in words, "" where the call fails."""
        try:
            answer = self.call(function, *arguments) if device else self.ask(function, *arguments)
        except CallFailedError:
            return ""
        return answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)


@contextmanager
def open_card(index: int) -> Iterator[Card]:
    """GPU `index` of NVML; the session with the driver ends with the context.

    Raises:
        NoCardError: pynvml, the driver or the GPU is missing.
    """
    try:
        nvml: Any = importlib.import_module("pynvml")
    except ImportError as error:
        raise NoCardError("pynvml is missing: python -m pip install nvidia-ml-py") from error
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        raise NoCardError(f"no NVIDIA driver answers: {error}") from error
    try:
        yield Card(nvml, _handle(nvml, index))
    finally:
        nvml.nvmlShutdown()


def _handle(nvml: Any, index: int) -> Any:  # noqa: ANN401 - pynvml has no types
    try:
        return nvml.nvmlDeviceGetHandleByIndex(index)
    except nvml.NVMLError as error:
        raise NoCardError(f"there is no GPU {index}: {error}") from error
