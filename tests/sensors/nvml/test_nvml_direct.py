"""What is read past pynvml is what pynvml reads."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.sensors.nvml.codes import INSUFFICIENT_SIZE, NOT_FOUND, OK, CallError
from aipower.sensors.nvml.direct import ROWS, FieldTable, HolderTable, SampleTable
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.fields import Reader, make_plan, of_bytes, read_fields
from sensors.nvml.standin import Standin

LISTS = "nvmlDeviceGetComputeRunningProcesses_v3"


@dataclass
class Library:
    """C functions, written in Python: what is handed over are the pointers that a driver gets."""

    fields: list[tuple[int, int, bytes]] = field(default_factory=list)
    """Type, code and bytes of the value of each field."""
    pids: list[int] = field(default_factory=list)
    grows_by: int = 0
    code: int = OK
    rooms: list[int] = field(default_factory=list)
    """How many rows each caller had room for."""

    def nvmlDeviceGetFieldValues(self, _handle: object, count: ctypes.c_int, table: Any) -> int:  # noqa: N802
        values = (pynvml.c_nvmlFieldValue_t * count.value).from_buffer(table)
        assert all(value.nvmlReturn == value.valueType == value.timestamp == 0 for value in values), "not wiped"
        for value, (type_, code, raw) in zip(values, self.fields, strict=True):
            value.valueType, value.nvmlReturn, value.timestamp = type_, code, 7
            union: Any = value.value
            ctypes.memmove(ctypes.addressof(union), raw, len(raw))
        return self.code

    def nvmlDeviceGetComputeRunningProcesses_v3(self, _handle: object, count: Any, table: Any) -> int:  # noqa: N802
        rows = self._rows(count._obj, table, pynvml.c_nvmlProcessInfo_v3_t)
        for row, pid in zip(rows, self.pids, strict=False):
            row.pid, row.usedGpuMemory, row.gpuInstanceId, row.computeInstanceId = pid, 2**63, pid + 1, 5
        return self._told(count._obj)

    def nvmlDeviceGetProcessUtilization(self, _handle: object, table: Any, count: Any, since: Any) -> int:  # noqa: N802
        rows = self._rows(count._obj, table, pynvml.c_nvmlProcessUtilizationSample_t)
        for row, pid in zip(rows, self.pids, strict=False):
            row.pid, row.timeStamp, row.smUtil, row.memUtil = pid, since.value + 1, pid % 101, 99
        return self._told(count._obj)

    def _rows(self, count: ctypes.c_uint, table: Any, row: Any) -> Any:
        self.rooms.append(count.value)
        assert not any(table.raw), "not wiped"
        return (row * count.value).from_buffer(table)

    def _told(self, count: ctypes.c_uint) -> int:
        room, count.value = count.value, len(self.pids)
        if len(self.pids) > room:
            self.pids += range(self.grows_by)
            return INSUFFICIENT_SIZE
        return self.code


def driver(library: Library) -> Driver:
    nvml = Standin()
    nvml.answers["nvmlLib"] = cast("Callable[..., Any]", library)
    return Driver(nvml)


VALUES = st.tuples(st.integers(-1, 8), st.sampled_from([0, 0, 0, 3, 10, 15, 999]), st.binary(min_size=8, max_size=8))


@given(st.lists(VALUES, min_size=3, max_size=3))
def test_fields_are_what_pynvml_shows(values: list[tuple[int, int, bytes]]) -> None:
    library, wanted = Library(fields=values), (83, 185, 186)
    table = FieldTable(driver(library), None, wanted)

    def by_pynvml(_handle: object, fields: list[int]) -> Any:
        made = (pynvml.c_nvmlFieldValue_t * len(fields))()
        buffer = ctypes.create_string_buffer(ctypes.sizeof(made))
        library.nvmlDeviceGetFieldValues(None, ctypes.c_int(len(fields)), buffer)
        return type(made).from_buffer(buffer)

    slow = Driver(Standin({"nvmlDeviceGetFieldValues": by_pynvml}))
    expected = read_fields(slow, None, wanted)
    for _ in range(2):
        found = {field: of_bytes(field, *value) for field, value in zip(wanted, table.read(), strict=True)}
        assert [_plain(answer) for answer in found.values()] == [_plain(answer) for answer in expected.values()]


def _plain(answer: int | CallError) -> object:
    return (str(answer), answer.code) if isinstance(answer, CallError) else answer


@given(st.lists(st.integers(1, 2**32 - 2), max_size=200))
def test_lists_are_read_whole_and_once_there_is_room_in_one_call(pids: list[int]) -> None:
    library = Library(pids=pids)
    holders, samples = HolderTable(driver(library), None, LISTS), SampleTable(driver(library), None)
    for _ in range(2):
        assert holders.read() == [(pid, pid + 1) for pid in pids]
        assert samples.read(2**50) == [(pid, 2**50 + 1, pid % 101) for pid in pids]
    calls = 1 if len(pids) <= ROWS else 2
    assert len(library.rooms) == 2 * calls + 2


def test_a_list_that_outgrows_each_look_is_a_failure() -> None:
    library = Library(pids=list(range(1, ROWS + 2)), grows_by=100_000)
    with pytest.raises(CallError) as caught:
        HolderTable(driver(library), None, LISTS).read()
    assert caught.value.code == INSUFFICIENT_SIZE


def test_what_fails_has_its_code_and_the_driver_s_words() -> None:
    library = Library(code=NOT_FOUND, fields=[(3, 0, bytes(8))])
    with pytest.raises(CallError, match="Not Found") as caught:
        SampleTable(driver(library), None).read(0)
    assert caught.value.code == NOT_FOUND
    with pytest.raises(CallError, match="Not Found"):
        FieldTable(driver(library), None, (83,)).read()


def test_without_a_library_pynvml_is_asked() -> None:
    slow = Driver(Standin())
    assert not FieldTable(slow, None, (83,)).there
    assert not HolderTable(slow, None, LISTS).there
    assert Reader(slow, None, make_plan(slow, None)).read()[83] == 5000
