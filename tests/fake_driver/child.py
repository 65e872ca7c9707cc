"""A process that uses the real pynvml as it is told: one JSON request per line in, one JSON answer out."""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pynvml

Request = dict[str, Any]

LIBRARY_MISMATCH = -1
"""Stands for pynvml's NVMLLibraryMismatchError, which is not an NVMLError and has no code."""


def plain(value: Any) -> Any:
    """`value` with structures, unions, arrays and bytes as what JSON knows."""
    if isinstance(value, ctypes.Structure):
        return {name: plain(getattr(value, name)) for name, *_ in type(value)._fields_}
    if isinstance(value, ctypes.Union):
        return {"uiVal": value.uiVal, "ullVal": value.ullVal}
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list | tuple | ctypes.Array):
        return [plain(item) for item in value]
    return plain(vars(value)) if hasattr(value, "__dict__") else _plain_items(value)


def _plain_items(value: Any) -> Any:
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


class Child:
    """Answers requests; keeps the handles of the devices, as every program does."""

    def __init__(self) -> None:
        self._handles: dict[int, Any] = {}

    def answer(self, request: Request) -> Request:
        """The value, or NVML's error code."""
        operation: Callable[[Request], Any] = getattr(self, request["operation"])
        try:
            return {"value": plain(operation(request))}
        except pynvml.NVMLError as error:
            return {"error": _code(error)}
        except pynvml.NVMLLibraryMismatchError:
            return {"error": LIBRARY_MISMATCH}

    def call(self, request: Request) -> Any:
        """Any function of pynvml."""
        arguments = request["arguments"]
        if request["gpu"] is not None:
            arguments = [self._handle(request["gpu"]), *arguments]
        return getattr(pynvml, request["function"])(*arguments)

    def utilization(self, request: Request) -> Any:
        """One bare nvmlDeviceGetProcessUtilization: code, count and rows; `room` None passes NULL."""
        room = request["room"]
        rows = (pynvml.c_nvmlProcessUtilizationSample_t * (room or 1))()
        count = ctypes.c_uint(room or 0)
        target = None if room is None else rows
        last_seen_us = ctypes.c_ulonglong(request["last_seen_us"])
        function = pynvml.nvmlLib.nvmlDeviceGetProcessUtilization
        code = function(self._handle(request["gpu"]), target, ctypes.byref(count), last_seen_us)
        return {"code": code, "count": count.value, "rows": rows[: min(count.value, room or 0)]}

    def compute_list(self, request: Request) -> Any:
        """One bare nvmlDeviceGetComputeRunningProcesses_v3: code and count, with room for `room`."""
        rows = (pynvml.c_nvmlProcessInfo_v3_t * (request["room"] or 1))()
        count = ctypes.c_uint(request["room"])
        function = pynvml.nvmlLib.nvmlDeviceGetComputeRunningProcesses_v3
        code = function(self._handle(request["gpu"]), ctypes.byref(count), rows)
        return {"code": code, "count": count.value}

    def bare(self, request: Request) -> Any:
        """The code of any function called with the numbers given, for calls that no one should make."""
        return getattr(pynvml.nvmlLib, request["function"])(*map(ctypes.c_void_p, request["arguments"]))

    def bare_device(self, request: Request) -> Any:
        """The code of a function of a device that gets NULL for its answer."""
        return getattr(pynvml.nvmlLib, request["function"])(self._handle(request["gpu"]), None)

    def same(self, request: Request) -> bool:
        """Whether `function(key)` finds the device `gpu`."""
        found = getattr(pynvml, request["function"])(request["key"].encode())
        known = self._handle(request["gpu"])
        return ctypes.addressof(found.contents) == ctypes.addressof(known.contents)

    def raised(self, request: Request) -> Any:
        """The code inside the error that `function(handle, 0)` raises; None where it returns."""
        try:
            getattr(pynvml, request["function"])(self._handle(request["gpu"]), 0)
        except pynvml.NVMLError as error:
            return _code(error)
        return None

    def wrong_version(self, request: Request) -> Any:
        """The code for a list of process utilisations with a version that does not exist."""
        info = pynvml.c_nvmlProcessesUtilizationInfo_v1_t(version=0x02000018)
        function = pynvml.nvmlLib.nvmlDeviceGetProcessesUtilizationInfo
        return function(self._handle(request["gpu"]), ctypes.byref(info))

    def _handle(self, gpu: int) -> Any:
        if gpu not in self._handles:
            self._handles[gpu] = pynvml.nvmlDeviceGetHandleByIndex(gpu)
        return self._handles[gpu]


def _code(error: Any) -> Any:
    """The code of an NVMLError, which pynvml sets where type checkers cannot see it."""
    return error.value


def _answers() -> Iterator[Request]:
    child = Child()
    for line in sys.stdin:
        yield child.answer(json.loads(line))


def main() -> None:
    """Serve until the input ends."""
    for answer in _answers():
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
