"""Stand-ins for the module pynvml: what no driver of ours can be made to answer, and clocks that tests own."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pynvml

from aipower.model import ProcessId

UUID = "GPU-00000000-0000-4000-8000-00000000cafe"


@dataclass(slots=True)
class FakeClock:
    """Time that passes when the test says so; the wall clock can be set."""

    now_s: float = 1000.0
    wall_offset_s: float = 1_700_000_000.0

    def monotonic_s(self) -> float:
        return self.now_s

    def unix_s(self) -> float:
        return self.now_s + self.wall_offset_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a process list or of process utilisation."""

    pid: int
    smUtil: int = 0  # noqa: N815 - NVML's name
    timeStamp: int = 0  # noqa: N815 - NVML's name


def field_value(number: float, value_type: int = 3, code: int = 0, member: str = "ullVal") -> Any:
    """A field as pynvml hands it out."""
    value = pynvml.c_nvmlFieldValue_t()
    value.valueType, value.nvmlReturn = value_type, code
    union: Any = value.value
    ctypes.memset(ctypes.addressof(union), 0xA5, ctypes.sizeof(union))
    setattr(union, member, number)
    return value


@dataclass(slots=True)
class Standin:
    """Looks like pynvml with one GPU. `answers` replaces functions; None takes a function away."""

    answers: dict[str, Callable[..., Any] | None] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    NVMLError: type[Exception] = pynvml.NVMLError

    def __getattr__(self, name: str) -> Callable[..., Any]:
        answer = self.answers.get(name, DEFAULTS.get(name))
        if answer is None:
            raise AttributeError(f"module 'pynvml' has no attribute '{name}'")
        self.calls[name] += 1
        return answer


def fails(code: int) -> Callable[..., Any]:
    """A function of pynvml that fails with `code`."""

    def fail(*_: object) -> Any:
        raise pynvml.NVMLError(code)

    return fail


def in_turn(*answers: Any) -> Callable[..., Any]:
    """A function that answers one after the other; an integer is the code of a failure. The last one stays."""
    left = list(answers)

    def answer(*arguments: object) -> Any:
        now = left.pop(0) if len(left) > 1 else left[0]
        return fails(now)(*arguments) if isinstance(now, int) else now

    return answer


def fields(energy: Any, instant: Any, average: Any = None) -> Callable[..., Any]:
    """nvmlDeviceGetFieldValues that answers with these values."""
    known = {83: energy, 186: instant, 185: average or field_value(0, code=3)}
    return lambda _handle, wanted: [known[number] for number in wanted]


def resolve(sightings: Iterable[tuple[int, float | None]]) -> list[ProcessId]:
    return [process(pid) for pid, _ in sightings]


def process(pid: int) -> ProcessId:
    return ProcessId("boot", pid, 1)


def rows(*each: Row) -> Callable[..., Iterable[Row]]:
    return lambda *_: list(each)


DEFAULTS: dict[str, Callable[..., Any]] = {
    "nvmlInit": lambda: None,
    "nvmlShutdown": lambda: None,
    "nvmlSystemGetDriverVersion": lambda: "570.1",
    "nvmlDeviceGetCount": lambda: 1,
    "nvmlDeviceGetHandleByIndex": lambda index: index,
    "nvmlDeviceGetUUID": lambda _: UUID,
    "nvmlDeviceGetName": lambda _: "NVIDIA Stand-in",
    "nvmlDeviceGetArchitecture": lambda _: 9,
    "nvmlDeviceGetPowerManagementLimitConstraints": lambda _: [100_000, 700_000],
    "nvmlDeviceGetFieldValues": fields(field_value(5000), field_value(70_000, 1, member="uiVal")),
    "nvmlDeviceGetTotalEnergyConsumption": fails(3),
    "nvmlDeviceGetPowerUsage": fails(3),
    "nvmlDeviceGetProcessUtilization": fails(6),
    "nvmlDeviceGetProcessesUtilizationInfo": fails(6),
    "nvmlDeviceGetComputeRunningProcesses_v3": rows(),
    "nvmlDeviceGetMPSComputeRunningProcesses_v3": rows(),
}
