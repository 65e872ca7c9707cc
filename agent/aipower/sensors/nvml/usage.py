"""Who holds a context on a GPU, and who worked on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from msgspec.structs import replace

from aipower.errors import SensorFailedError
from aipower.model import ProcessId, Usage
from aipower.seams import Clock, Sighting
from aipower.sensors.nvml.accounting import Accounting
from aipower.sensors.nvml.codes import NEVER, CallError
from aipower.sensors.nvml.direct import Holder, HolderTable
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.mig import MigUsage, MigWork
from aipower.sensors.nvml.sampler import RING_S, SAMPLES_PER_S, UtilizationSampler, Work

COMPUTE = ("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2")
MPS = ("nvmlDeviceGetMPSComputeRunningProcesses_v3", "nvmlDeviceGetMPSComputeRunningProcesses_v2")
"""Each with its fall-back for drivers before 510. Graphics contexts do not raise idle power as compute ones do."""

NO_INSTANCE = 0xFFFFFFFF
"""The instance of a process outside MIG."""

Resolve = Callable[[Iterable[Sighting]], Sequence[ProcessId | None]]
"""The process of each pid."""


class GpuUsage:
    """The source of usage of one GPU."""

    def __init__(
        self,
        driver: Driver,
        handle: Any,  # noqa: ANN401 - an NVML handle
        resolve: Resolve,
        clock: Clock,
    ) -> None:
        self._driver = driver
        self._handle = handle
        self._holders = {lists[0]: HolderTable(driver, handle, lists[0]) for lists in (COMPUTE, MPS)}
        self._resolve = resolve
        self._clock = clock
        self._sampler = UtilizationSampler(driver, handle, clock)
        self._accounting = Accounting(driver, handle, clock)
        self._mig = MigUsage(driver, handle, clock)
        self._since_s = clock.monotonic_s()
        self._latest_holders: frozenset[ProcessId] = frozenset()

    def collect(self) -> Usage:
        """Busy seconds and context holders since the last call.

        A call that fails ends its window all the same: the energy of that window was accounted for without it.

        Raises:
            SensorFailedError: The driver or /proc failed this time.
            SensorGoneError: The GPU or the driver has left.
        """
        start_s = self._since_s
        try:
            contexts = self._contexts()
            work = self._accounting.settle(self._sampler.new_work(), contexts or ())
            self._since_s = self._clock.monotonic_s()
            return self._usage(start_s, contexts, work)
        except CallError as error:
            self._skip()
            raise error.as_sensor_error() from error
        except OSError as error:
            self._skip()
            raise SensorFailedError("read_failed", f"/proc: {error}") from error

    def _skip(self) -> None:
        self._since_s = self._clock.monotonic_s()
        self._sampler.skip()
        self._accounting.skip()
        self._mig.skip()

    def _usage(self, start_s: float, contexts: Mapping[int, int] | None, work: Sequence[Work]) -> Usage:
        worked: list[Sighting] = [(part.pid, part.at_unix_s) for part in work]
        busy = dict(worked)
        # Who worked in this window holds the context: each pid need not be looked at again.
        idle: list[Sighting] = [(pid, None) for pid in contexts or () if pid not in busy]
        found = self._resolve(worked + idle) if worked or idle else ()
        busy_s = _busy_s(found, work)
        unknown_s = busy_s.pop(None, 0.0)
        processes = {pid: process for (pid, _), process in zip(worked + idle, found, strict=True)}
        held = {pid: processes[pid] for pid in contexts or ()}
        self._find_successors([pid for pid, process in held.items() if process is None and pid in busy], held)
        holders = self._shared(frozenset(held.values()))
        sampled = self._sampler.supported
        mig = None if sampled else self._mig.collect(_by_instance(contexts or {}, held))
        usage = Usage(
            start_s,
            self._since_s,
            cast("dict[ProcessId, float]", busy_s),
            unknown_s,
            holders,
            # Someone may hold a context where nobody can be listed: that must not pass for a bare device.
            1 if contexts is None else list(held.values()).count(None),
            sampled=sampled,
            samples=SAMPLES_PER_S * min(self._since_s - start_s, RING_S) if sampled else 0.0,
            covered_s=self._sampler.covered_s,
        )
        return usage if mig is None else _with(usage, mig)

    def _shared(self, found: frozenset[ProcessId | None]) -> frozenset[ProcessId]:
        """Those of `found` who are known: one set for all windows in which they are the same, as many are kept."""
        known = cast("frozenset[ProcessId]", found - {None} if None in found else found)
        if known != self._latest_holders:
            self._latest_holders = known
        return self._latest_holders

    def _find_successors(self, pids: Sequence[int], held: dict[int, ProcessId | None]) -> None:
        """Note in `held` who has `pids` now: nobody whom we know had them when the work was done."""
        if pids:
            held.update(zip(pids, self._resolve([(pid, None) for pid in pids]), strict=True))

    def _contexts(self) -> dict[int, int] | None:
        """The GPU instance of each pid, which may stand in both lists; None where this GPU cannot list them."""
        compute = self._list(COMPUTE)
        mps = self._list(MPS)
        if compute is None:
            return None
        return {pid: instance for pid, instance in (*compute, *(mps or ())) if pid}

    def _list(self, functions: tuple[str, str]) -> Sequence[Holder] | None:
        """What the first of `functions` answers that this driver has; None where there is none."""
        table = self._holders[functions[0]]
        for function in functions:
            try:
                direct = table.there and function == functions[0]
                return table.read() if direct else _holders(self._driver.rows(function, self._handle))
            except CallError as error:
                if error.code not in NEVER:
                    raise
        return None


def _holders(rows: Sequence[Any]) -> list[Holder]:
    """What pynvml has answered."""
    return [(int(row.pid), getattr(row, "gpuInstanceId", NO_INSTANCE)) for row in rows]


def _busy_s(found: Sequence[ProcessId | None], work: Sequence[Work]) -> dict[ProcessId | None, float]:
    """The seconds of each process, those of nobody under None; the first of `found` did `work`."""
    busy_s = {process: part.busy_s for process, part in zip(found, work, strict=False)}
    if len(busy_s) < len(work):  # some have more than one part
        busy_s = dict.fromkeys(busy_s, 0.0)
        for process, part in zip(found, work, strict=False):
            busy_s[process] += part.busy_s
    return busy_s


def _by_instance(
    contexts: Mapping[int, int], held: Mapping[int, ProcessId | None]
) -> dict[int, tuple[ProcessId | None, ...]]:
    """The processes in each GPU instance."""
    inside: dict[int, list[ProcessId | None]] = defaultdict(list)
    for pid, instance in contexts.items():
        if instance != NO_INSTANCE:
            inside[instance].append(held[pid])
    return {instance: tuple(processes) for instance, processes in inside.items()}


def _with(usage: Usage, mig: MigWork) -> Usage:
    """`usage` with the work that the performance monitor saw: not sampled, but counted."""
    return replace(
        usage, busy_s=mig.busy_s, unknown_busy_s=mig.unknown_busy_s, activity=mig.activity, sampled=True, samples=0.0
    )
