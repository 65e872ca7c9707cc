"""Energy and power of one GPU in one driver call, or in the calls that its architecture offers instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aipower.sensors.nvml.driver import NEVER, NOT_SUPPORTED, CallError, Driver

ENERGY, AVERAGE, INSTANT = 83, 185, 186
"""NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION (mJ), _POWER_AVERAGE and _POWER_INSTANT (mW), nvml.h."""
NOT_AVAILABLE = 2**64 - 1
"""NVML_VALUE_NOT_AVAILABLE, -1 read as an unsigned number."""
MEMBERS: Mapping[int, str] = MappingProxyType(
    {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}
)
"""The member of nvmlValue_t that each nvmlValueType_t fills; the rest of the union is garbage."""

Answer = int | CallError


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read one GPU. A name is an NVML function, a number a field; None where there is no way."""

    energy: int | str | None
    power: int | str | None

    @property
    def fields(self) -> tuple[int, ...]:
        """The fields to ask for in one call."""
        return tuple(source for source in (self.energy, self.power) if isinstance(source, int))


ENERGY_SOURCES: tuple[int | str, ...] = (ENERGY, "nvmlDeviceGetTotalEnergyConsumption")
POWER_SOURCES: tuple[int | str, ...] = (INSTANT, "nvmlDeviceGetPowerUsage", AVERAGE)
"""Instant first: the plain call means a 1 s average on Ampere (but GA100) and newer, instant before (nvml.h)."""


def read(driver: Driver, handle: Any, plan: Plan) -> dict[int | str, Answer]:  # noqa: ANN401 - an NVML handle
    """The answer, or the error, of each source of `plan`."""
    answers: dict[int | str, Answer] = dict(read_fields(driver, handle, plan.fields).items())
    for source in (plan.energy, plan.power):
        if isinstance(source, str):
            answers[source] = _read_call(driver, handle, source)
    return answers


def read_fields(driver: Driver, handle: Any, fields: tuple[int, ...]) -> dict[int, Answer]:  # noqa: ANN401
    """The answer, or the error, of each field, from one driver call."""
    if not fields:
        return {}
    try:
        values = driver.call("nvmlDeviceGetFieldValues", handle, list(fields))
    except CallError as error:
        return dict.fromkeys(fields, error)
    return {field: _value(field, value) for field, value in zip(fields, values, strict=True)}


def make_plan(driver: Driver, handle: Any) -> Plan:  # noqa: ANN401 - an NVML handle
    """The best sources that do not say they never will answer. A passing failure does not rule a source out."""
    answers = read_fields(driver, handle, (ENERGY, INSTANT, AVERAGE))
    return Plan(_first(driver, handle, ENERGY_SOURCES, answers), _first(driver, handle, POWER_SOURCES, answers))


def _first(
    driver: Driver, handle: Any, sources: tuple[int | str, ...], known: Mapping[int, Answer]
) -> int | str | None:  # noqa: ANN401
    for source in sources:
        answer = known[source] if isinstance(source, int) else _read_call(driver, handle, source)
        if isinstance(answer, int) or answer.code not in NEVER:
            return source
    return None


def _read_call(driver: Driver, handle: Any, function: str) -> Answer:  # noqa: ANN401 - an NVML handle
    try:
        answer = int(driver.call(function, handle))
    except CallError as error:
        return error
    except (TypeError, ValueError) as error:
        return CallError(function, NOT_SUPPORTED, str(error))
    return _checked(function, answer)


def _value(field: int, value: Any) -> Answer:  # noqa: ANN401 - a ctypes structure
    name = f"field {field}"
    if value.nvmlReturn != 0:
        return CallError(name, int(value.nvmlReturn), "the field has no value")
    member = MEMBERS.get(int(value.valueType))
    if member is None:
        return CallError(name, NOT_SUPPORTED, f"unknown type {value.valueType}")
    return _checked(name, int(getattr(value.value, member)))


def _checked(name: str, answer: int) -> Answer:
    if not 0 <= answer < NOT_AVAILABLE:
        return CallError(name, NOT_SUPPORTED, f"value {answer} means not available")
    return answer
