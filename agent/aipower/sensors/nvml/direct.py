"""The calls that are made again and again, past pynvml's layer, which makes new tables and types for each of them.

Each asks the very function that pynvml has found in the driver, with memory that is kept from call to call and wiped
before each, and reads the answer from its bytes. Where there is no such function (older drivers, versions of pynvml
that keep it elsewhere) there is no direct way: pynvml is asked. A table is for one thread at a time.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Iterable
from typing import Any

from aipower.sensors.nvml.codes import INSUFFICIENT_SIZE, OK, CallError
from aipower.sensors.nvml.driver import Driver

FIELDS, UTILIZATION = "nvmlDeviceGetFieldValues", "nvmlDeviceGetProcessUtilization"
_FIELD = struct.Struct("=IIqqIIQ")
"""nvmlFieldValue_t: fieldId, scopeId, timestamp, latencyUsec, valueType, nvmlReturn, value."""
_PROCESS = struct.Struct("=I4xQII")
"""nvmlProcessInfo_v2_t: pid, usedGpuMemory, gpuInstanceId, computeInstanceId."""
_SAMPLE = struct.Struct("=I4xQIIII")
"""nvmlProcessUtilizationSample_t: pid, timeStamp, smUtil, memUtil, encUtil, decUtil."""
ROWS = 64
"""Room for a list at first; a longer one is asked for again."""
MOST_ROWS = 65536
"""More than a driver has; one that wants more is not believed."""
TRIES = 4
"""A list may grow between two calls."""


Holder = tuple[int, int]
"""A process that holds a context: pid and GPU instance."""
Sample = tuple[int, int, int]
"""What a process did: pid, stamp in Unix microseconds, percent of the engines."""


class FieldTable:
    """Reads the same fields of one GPU."""

    def __init__(self, driver: Driver, handle: Any, fields: Iterable[int]) -> None:  # noqa: ANN401 - an NVML handle
        blank = b"".join(_FIELD.pack(field, 0, 0, 0, 0, 0, 0) for field in fields)
        self._driver = driver
        self._function = _function(driver, FIELDS)
        self._blank = blank
        self._table = ctypes.create_string_buffer(blank, len(blank))
        self._arguments = (handle, ctypes.c_int(len(blank) // _FIELD.size), self._table)

    @property
    def there(self) -> bool:
        """Whether this way can be gone."""
        return self._function is not None and len(self._blank) > 0

    def read(self) -> list[tuple[int, int, int]]:
        """Type of value, code and the value's eight bytes as a whole number, of each field.

        Raises:
            CallError: The driver failed altogether.
        """
        assert self._function is not None  # noqa: S101 - whoever asks has looked
        self._table.raw = self._blank
        code = self._function(*self._arguments)
        if code != OK:
            raise _failure(self._driver, FIELDS, code)
        return [(type_, code, value) for *_, type_, code, value in _FIELD.iter_unpack(self._table.raw)]


class _Rows:
    """A list whose length only the driver knows."""

    def __init__(self, driver: Driver, function: str, row: struct.Struct) -> None:
        self._driver = driver
        self._name = function
        self._function = _function(driver, function)
        self._row = row
        self._count = ctypes.c_uint()
        self._make_room(ROWS)

    @property
    def there(self) -> bool:
        """Whether this way can be gone."""
        return self._function is not None

    def _make_room(self, rows: int) -> None:
        self._room = min(rows, MOST_ROWS)
        self._table = ctypes.create_string_buffer(self._room * self._row.size)

    def _ask(self, call: Callable[[Any], int]) -> Iterable[tuple[Any, ...]]:
        """The rows; `call` makes the call with the function, which finds room in `_table` and `_count`."""
        code = INSUFFICIENT_SIZE
        for _ in range(TRIES):
            self._count.value = self._room
            ctypes.memset(self._table, 0, ctypes.sizeof(self._table))
            code = call(self._function)
            if code != INSUFFICIENT_SIZE:
                break
            self._make_room(2 * max(self._count.value, self._room))
        if code != OK:
            raise _failure(self._driver, self._name, code)
        filled = min(self._count.value, self._room) * self._row.size
        return self._row.iter_unpack(memoryview(self._table)[:filled])


class HolderTable(_Rows):
    """Lists who holds a context on one GPU; `function` is one of NVML's lists of running processes, version 3."""

    def __init__(self, driver: Driver, handle: Any, function: str) -> None:  # noqa: ANN401 - an NVML handle
        super().__init__(driver, function, _PROCESS)
        self._handle = handle

    def read(self) -> list[Holder]:
        """The holders now.

        Raises:
            CallError: The driver failed, or has no such list.
        """
        rows = self._ask(lambda function: int(function(self._handle, ctypes.byref(self._count), self._table)))
        return [(pid, instance) for pid, _, instance, _ in rows]


class SampleTable(_Rows):
    """Asks who worked on one GPU."""

    def __init__(self, driver: Driver, handle: Any) -> None:  # noqa: ANN401 - an NVML handle
        super().__init__(driver, UTILIZATION, _SAMPLE)
        self._handle = handle

    def read(self, seen_us: int) -> list[Sample]:
        """The samples stamped after `seen_us`, in Unix microseconds.

        Raises:
            CallError: The driver failed; NOT_FOUND while nobody works.
        """
        since = ctypes.c_ulonglong(seen_us)
        rows = self._ask(lambda function: int(function(self._handle, self._table, ctypes.byref(self._count), since)))
        return [row[:3] for row in rows]


def _function(driver: Driver, name: str) -> Callable[..., Any] | None:
    """The driver's function; None where pynvml does not show it."""
    function: Callable[..., Any] | None = getattr(getattr(driver.nvml, "nvmlLib", None), name, None)
    return function


def _failure(driver: Driver, function: str, code: int) -> CallError:
    return CallError(function, code, str(driver.nvml.NVMLError(code)))
