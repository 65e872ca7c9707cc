"""As much of NVML as says who works on a GPU, with its habits (science of A5)."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from aipower.sensors.nvml.codes import NOT_FOUND
from benchmarks.accuracy.machine import SimulatedClock
from benchmarks.accuracy.usage import COLLECT_S, SampledGpu

RING_S = 10.0
"""How far back the driver remembers."""
ZOMBIE = 99_999


class NvmlError(Exception):
    """A code of nvml.h."""

    def __init__(self, value: int) -> None:
        super().__init__(f"NVML {value}")
        self.value = value


@dataclass(frozen=True, slots=True)
class UtilizationRow:
    """One process: its latest sample and its share of all samples asked for."""

    pid: int
    timeStamp: int  # noqa: N815 - the field's name in nvml.h
    smUtil: int  # noqa: N815 - likewise


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One holder of a context."""

    pid: int


class SimulatedNvml:
    """Stands in for the module `pynvml`; functions that it lacks are missing, as from an older driver."""

    NVMLError = NvmlError

    def __init__(self, gpu: SampledGpu, clock: SimulatedClock, rng: random.Random, garbage: float) -> None:
        """`garbage` is the share of answers with rows that cannot be."""
        self._gpu = gpu
        self._clock = clock
        self._rng = rng
        self._garbage = garbage

    def nvmlDeviceGetProcessUtilization(self, _: int, seen_us: int) -> Sequence[UtilizationRow]:  # noqa: N802 - NVML's
        """Rows of the samples stamped after `seen_us`.

        Raises:
            NvmlError: NOT_FOUND where there is nothing to tell.
        """
        self._clock.sleep(self._rng.uniform(*COLLECT_S))
        now_s = self._clock.now_s
        looks = [s for s in self._gpu.samples(now_s - RING_S, now_s) if self._stamp_us(s.at_s) > seen_us]
        shares: dict[int, float] = defaultdict(float)
        stamps: dict[int, int] = {}
        for look in looks:
            if look.process is not None:
                shares[look.process.pid] += 100 * look.busy / len(looks)
                stamps[look.process.pid] = self._stamp_us(look.at_s)
        rows = [UtilizationRow(pid, stamps[pid], int(share)) for pid, share in shares.items()]
        rows += self._impossible(self._stamp_us(now_s))
        if not rows:
            raise NvmlError(NOT_FOUND)
        return rows

    def nvmlDeviceGetComputeRunningProcesses_v3(self, _: int) -> Sequence[ProcessRow]:  # noqa: N802 - NVML's
        """Who holds a context now."""
        return [
            ProcessRow(process.pid) for process in sorted(self._gpu.holders(self._clock.now_s), key=lambda p: p.pid)
        ]

    def _impossible(self, now_us: int) -> Sequence[UtilizationRow]:
        """Now and then a zombie with more than all of the engine, one with nothing, and a stamp of next year."""
        if self._rng.random() >= self._garbage:
            return ()
        return (
            UtilizationRow(ZOMBIE, now_us, self._rng.randrange(101, 1 << 31)),
            UtilizationRow(0, 0, 0),
            UtilizationRow(ZOMBIE + 1, now_us + 31_536_000_000_000, 40),
        )

    def _stamp_us(self, at_s: float) -> int:
        """The wall clock's time when the sample was taken."""
        return round(self._clock.unix_at(at_s) * 1e6)
