"""One measurement of a block, from its begin to its record."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Mapping

from msgspec import Struct

from aipower.errors import AipowerError
from aipower.phases.hub import Sink
from aipower.record.compose import compose, new_run_id
from aipower.record.measured import Measured, Told, Trouble
from aipower.run.console import in_one_line
from aipower.run.measure import Measurement
from aipower.runrecord import RunRecord
from aipower.seams import Clock
from aipower.sensors.select import Selection

MEASURED_BY = "aipower.measure"
KIB = 1024
BEGIN_S = 1.0
"""The thread that measures has begun within milliseconds, or never will."""


class Plan(Struct, frozen=True):
    """What is to be measured, and how."""

    name: str
    selection: Selection
    interval_s: float
    wait: Callable[[], None]
    """Waits for the GPU."""


class Session:
    """One measurement. `begin` it, then call `end` once."""

    def __init__(self, plan: Plan, clock: Clock, environ: Mapping[str, str]) -> None:
        self._plan = plan
        self._clock = clock
        self._environ = environ
        self._pid = os.getpid()
        self._sink = Sink()
        self._begun = threading.Event()
        self._measurement: Measurement | None = None
        self._why = ""
        self._started_s = 0.0
        self._started_unix_s = 0.0
        self._cpu_s = 0.0

    def begin(self) -> None:
        """Find the sensors, read them, and start.

        Raises:
            AipowerError: A sensor that was asked for is not to be had.
        """
        try:
            self._prepare()
            self._start()
        except BaseException:  # Ctrl-C, or a sensor that is missing
            self._sink.close()
            if self._measurement is not None:
                self._abandon(self._measurement)
            raise

    def end(self, *, failed: bool) -> RunRecord:
        """The record. The block has `failed` where an error has left it."""
        self._plan.wait()
        ended_s = self._clock.monotonic_s()
        cpu_s = _cpu_s() - self._cpu_s
        self._sink.close()
        measured = self._measured(ended_s)
        told = Told(
            new_run_id(self._started_unix_s),
            tuple(sys.orig_argv),
            self._plan.name,
            int(failed),
            self._started_unix_s,
            cpu_s,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB,
            survivors=0,
            measured_by=MEASURED_BY,
        )
        try:
            return compose(told, measured)
        except Exception as error:  # noqa: BLE001 - an error of ours must not hide the program's result
            return compose(told, self._nothing(ended_s, f"internal error: {in_one_line(error)}"))

    def _prepare(self) -> None:
        try:
            self._measurement = Measurement(self._plan.selection, self._plan.interval_s, self._clock, self._environ)
            self._measurement.begin(lambda: False, lambda: None)
            self._measurement.listen(self._hear)
        except AipowerError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the program goes on unmeasured
            self._measurement, self._why = None, in_one_line(error)

    def _start(self) -> None:
        self._plan.wait()
        self._sink.open()
        self._cpu_s = _cpu_s()
        self._started_unix_s = time.time()
        self._started_s = self._clock.monotonic_s()
        if self._measurement is not None:
            self._measurement.attached(self._pid, self._started_s)
            self._begun.wait(BEGIN_S)  # a block that lets no other thread run would keep it from beginning

    def _hear(self) -> bytes:
        """What the program tells; the thread that measures asks for it as soon as it has begun."""
        self._begun.set()
        return self._sink.read()

    def _abandon(self, measurement: Measurement) -> None:
        """End it without a result and without waiting: its thread closes the sensors."""
        now_s = self._clock.monotonic_s()
        measurement.attached(self._pid, now_s)
        measurement.ended(now_s)

    def _measured(self, ended_s: float) -> Measured:
        if self._pid != os.getpid():
            return self._nothing(ended_s, "this is a forked child of the process that measures")
        if self._measurement is None:
            return self._nothing(ended_s, self._why)
        self._measurement.ended(ended_s)
        try:
            return self._measurement.result()
        except Exception as error:  # noqa: BLE001 - as above
            return self._nothing(ended_s, f"internal error: {in_one_line(error)}")

    def _nothing(self, ended_s: float, why: str) -> Measured:
        return Measured(
            None, None, None, self._started_s, ended_s, complete=False, troubles=(Trouble("internal", why),)
        )


def _cpu_s() -> float:
    """CPU seconds of this process and of all its children that it has waited for, to the microsecond."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
