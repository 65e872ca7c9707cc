"""Energy and power of one GPU in one driver call, or in the calls that its architecture offers instead."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from aipower.sensors.nvml.codes import GONE, NEVER, NOT_SUPPORTED, OK, CallError
from aipower.sensors.nvml.direct import FieldTable
from aipower.sensors.nvml.driver import Driver

ENERGY, AVERAGE, INSTANT = 83, 185, 186
"""NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION (mJ), _POWER_AVERAGE and _POWER_INSTANT (mW), nvml.h."""
MEMBERS: Mapping[int, tuple[str, int]] = MappingProxyType(
    {
        0: ("dVal", 64),
        1: ("uiVal", 32),
        2: ("ulVal", 64),
        3: ("ullVal", 64),
        4: ("sllVal", 64),
        5: ("siVal", 32),
        6: ("usVal", 16),
    }
)
"""The member of nvmlValue_t that each nvmlValueType_t fills, and its bits; the rest of the union is garbage."""
UNSIGNED: Mapping[int, int] = MappingProxyType({1: 32, 2: 64, 3: 64, 6: 16})
"""The bits of the types that are whole numbers without a sign."""
FORMATS: Mapping[int, str] = MappingProxyType({0: "=d", 1: "=I", 2: "=Q", 3: "=Q", 4: "=q", 5: "=i", 6: "=H"})
"""Each type for `struct`."""
TRIES = 3
"""Questions at discovery until a passing failure counts: a worse source would stay for the sensor's life."""

Source = int | str
"""A field's number or the name of an NVML function."""
Answer = int | CallError


class Plan(Struct, frozen=True):
    """How to read one GPU; None where there is no way."""

    energy: Source | None
    power: Source | None
    average: int | None = None
    """The mean power of the last second where it costs no call of its own."""
    has_average: bool = False
    """True where this GPU has been seen to have that field."""

    @property
    def fields(self) -> tuple[int, ...]:
        """The fields to ask for in one call."""
        return tuple(source for source in (self.energy, self.power, self.average) if isinstance(source, int))


ENERGY_SOURCES: tuple[Source, ...] = (ENERGY, "nvmlDeviceGetTotalEnergyConsumption")
POWER_SOURCES: tuple[Source, ...] = (INSTANT, "nvmlDeviceGetPowerUsage", AVERAGE)
"""Instant first: the plain call means a 1 s average on Ampere (but GA100) and newer, instant before (nvml.h)."""


class Reader:
    """Reads one GPU by its plan, again and again. To be used by one thread at a time."""

    def __init__(self, driver: Driver, handle: Any, plan: Plan) -> None:  # noqa: ANN401 - an NVML handle
        self._driver = driver
        self._handle = handle
        self._fields = plan.fields
        self._calls = tuple(source for source in (plan.energy, plan.power) if isinstance(source, str))
        self._table = FieldTable(driver, handle, plan.fields)

    def read(self) -> dict[Source, Answer]:
        """The answer, or the error, of each source of the plan."""
        answers = self._read_fields()
        for source in self._calls:
            answers[source] = _read_call(self._driver, self._handle, source)
        return answers

    def _read_fields(self) -> dict[Source, Answer]:
        if not self._table.there:
            return dict(read_fields(self._driver, self._handle, self._fields).items())
        try:
            values = self._table.read()
        except CallError as error:
            return dict.fromkeys(self._fields, error)
        return {field: of_bytes(field, *value) for field, value in zip(self._fields, values, strict=True)}


def read(driver: Driver, handle: Any, plan: Plan) -> dict[Source, Answer]:  # noqa: ANN401 - an NVML handle
    """The answer, or the error, of each source of `plan`, once."""
    return Reader(driver, handle, plan).read()


def read_fields(
    driver: Driver,
    handle: Any,  # noqa: ANN401 - an NVML handle
    fields: tuple[int, ...],
) -> dict[int, Answer]:
    """The answer, or the error, of each field, from one driver call."""
    if not fields:
        return {}
    try:
        values = driver.call("nvmlDeviceGetFieldValues", handle, list(fields))
    except CallError as error:
        return dict.fromkeys(fields, error)
    return {field: _value(field, value) for field, value in zip(fields, values, strict=True)}


def make_plan(driver: Driver, handle: Any) -> Plan:  # noqa: ANN401 - an NVML handle
    """The best sources that answer, or else the best that may answer later.

    Raises:
        CallError: The GPU or the driver has left.
    """
    answers = _probe(driver, handle)

    def ask(source: Source) -> Answer:
        return answers[source] if isinstance(source, int) else _read_call(driver, handle, source)

    plan = Plan(_best(ENERGY_SOURCES, ask), _best(POWER_SOURCES, ask), None, isinstance(answers[AVERAGE], int))
    wanted = plan.power != AVERAGE and _hopeful(answers[AVERAGE])
    return replace(plan, average=AVERAGE) if wanted and plan.fields else plan


def _probe(driver: Driver, handle: Any) -> dict[int, Answer]:  # noqa: ANN401 - an NVML handle
    """What all fields answer, with patience for those that fail in passing."""
    answers: dict[int, Answer] = {}
    for _ in range(TRIES):
        answers = read_fields(driver, handle, (ENERGY, INSTANT, AVERAGE))
        if not any(isinstance(answer, CallError) and answer.code not in NEVER for answer in answers.values()):
            break
    return answers


def _hopeful(answer: Answer) -> bool:
    """True where the source answers, or may later."""
    return isinstance(answer, int) or answer.code not in NEVER


def _best(sources: Sequence[Source], ask: Callable[[Source], Answer]) -> Source | None:
    hopeful: Source | None = None
    for source in sources:
        answer = ask(source)
        if isinstance(answer, int):
            return source
        if answer.code in GONE:
            raise answer
        if _hopeful(answer) and hopeful is None:
            hopeful = source
    return hopeful


def _read_call(driver: Driver, handle: Any, function: str) -> Answer:  # noqa: ANN401 - an NVML handle
    try:
        answer = driver.call(function, handle)
    except CallError as error:
        return error
    return _whole(function, answer, 64)


def of_bytes(field: int, value_type: int, code: int, raw: int) -> Answer:
    """What a field says whose eight bytes are `raw`, as a whole number of the machine's byte order."""
    if code == OK and value_type in UNSIGNED:
        bits = UNSIGNED[value_type]
        number = raw & (1 << bits) - 1
        if number < (1 << bits) - 1:
            return number
    return _rare(f"field {field}", value_type, code, raw)


def _rare(name: str, value_type: int, code: int, raw: int) -> Answer:
    if code != OK:
        return CallError(name, code, "the field has no value")
    if value_type not in MEMBERS:
        return CallError(name, NOT_SUPPORTED, f"unknown type {value_type}")
    bits = MEMBERS[value_type][1]
    return _whole(name, struct.unpack_from(FORMATS[value_type], raw.to_bytes(8, sys.byteorder))[0], bits)


def _value(field: int, value: Any) -> Answer:  # noqa: ANN401 - a ctypes structure
    name = f"field {field}"
    if value.nvmlReturn != OK:
        return CallError(name, int(value.nvmlReturn), "the field has no value")
    if value.valueType not in MEMBERS:
        return CallError(name, NOT_SUPPORTED, f"unknown type {value.valueType}")
    member, bits = MEMBERS[value.valueType]
    return _whole(name, getattr(value.value, member), bits)


def _whole(name: str, answer: Any, bits: int) -> Answer:  # noqa: ANN401 - whatever pynvml answers
    """`answer` as a number; NVML_VALUE_NOT_AVAILABLE is -1, which an unsigned member of `bits` shows as all ones."""
    try:
        number = int(answer)
    except (TypeError, ValueError, OverflowError):
        return CallError(name, NOT_SUPPORTED, f"{answer!r} is not a number")
    if not 0 <= number < 2**bits - 1:
        return CallError(name, NOT_SUPPORTED, f"value {number} means not available")
    return number
