"""One busy node of a cluster: a real ledger, fed with what its devices use, whenever somebody asks for its page."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from aipower.books.ledger import Ledger
from aipower.model import (
    AgentStats,
    Attribution,
    Device,
    DeviceFacts,
    EnergyDelta,
    JobFacts,
    JournalState,
    Owner,
    PartError,
    Place,
    ProcessId,
    ProcessInfo,
    Snapshot,
    Usage,
)

GPU_W, CPU_W, DRAM_W = 620.0, 210.0, 40.0
IDLE = 0.12
"""Share of the energy that is idle."""
PODS = 2
"""GPUs of a node that pods have; Slurm has the others."""
RUN = "bench-0"
"""The run that the processes of the first GPU belong to."""
ERROR = 0.02
"""Standard error of each part of a window."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a node."""

    gpus: int = 8
    sockets: int = 2
    gpu_processes: int = 64
    host_processes: int = 0
    """Processes of services, which use processors and memories only."""


class Table:
    """The processes of a node; all of them live for ever."""

    def __init__(self, size: Size) -> None:
        self.workers = [_worker(size, number) for number in range(size.gpu_processes)]
        self.hosts = [_host(number) for number in range(size.host_processes)]
        self._infos = {info.id: info for info in (*self.workers, *self.hosts)}

    def resolve(self, pid: int) -> ProcessId | None:
        return next((process for process in self._infos if process.pid == pid), None)

    def describe(self, process: ProcessId) -> ProcessInfo:
        return self._infos[process]

    def alive(self, process: ProcessId) -> bool:
        return process in self._infos


def _worker(size: Size, number: int) -> ProcessInfo:
    """Rank `number` of the node: each GPU is one job's or pod's, with eight processes of a user of its own."""
    gpu = number % size.gpus
    if gpu >= size.gpus - PODS:
        uid = f"{gpu:08d}-0000-4000-8000-000000000000"
        facts = JobFacts(f"llm-{gpu}", "serving", namespace="serving", pod=f"llm-{gpu}", gpus=(str(gpu),))
        place = Place(Owner("kubernetes", uid, f"{gpu:064x}"), f"{gpu:064x}", slice="kubepods.slice", facts=facts)
        return ProcessInfo(ProcessId("boot", 10_000 + number, 1), "vllm", "999", place)
    facts = JobFacts(f"train-{gpu}", f"team-{gpu % 4}", f"account-{gpu % 4}", "gpu", gpus=(str(gpu),))
    place = Place(Owner("slurm", str(40_000 + gpu), "0"), unit="slurmstepd.scope", slice="system.slice", facts=facts)
    return ProcessInfo(ProcessId("boot", 10_000 + number, 1), "python", str(1000 + gpu), place)


def _host(number: int) -> ProcessInfo:
    unit = f"service-{number}.service"
    place = Place(Owner("systemd", unit), unit=unit, slice="system.slice")
    return ProcessInfo(ProcessId("boot", 50_000 + number, 1), f"daemon-{number}", "0", place)


class SimulatedNode:
    """A node whose counters are functions of time; any thread may ask it."""

    def __init__(self, name: str, number: int, size: Size, now_s: Callable[[], float]) -> None:
        self.name = name
        self._size = size
        self._table = Table(size)
        self._ledger = Ledger(self._table, since_unix_s=now_s())
        self._now_s = now_s
        self._began_s = self._last_s = now_s()
        self._phase = number
        self._lock = threading.Lock()
        self._asked = 0
        kinds = (("gpu", size.gpus), ("cpu", size.sockets), ("dram", size.sockets))
        self._devices = [_device(kind, name, index) for kind, count in kinds for index in range(count)]
        for device in self._devices:
            self._ledger.open_account(device, DeviceFacts(device.id, "570.86.15"))
            self._ledger.bound(device.id, 700.0 if device.kind == "gpu" else None)
        self._ledger.register_run(RUN, "bench", "1000")
        self._runners = {info.id for info in self._table.workers if info.place.facts.gpus == ("0",)}

    def snapshot(self) -> Snapshot:
        """The page's content now: all that was used since the last one was asked for."""
        with self._lock:
            now_s = max(self._now_s(), self._last_s + 0.001)
            powers_w = {device.id: self._use(device, self._last_s, now_s) for device in self._devices}
            self._last_s = now_s
            self._asked += 1
            lived_s = now_s - self._began_s
            stats = AgentStats(0.004 * lived_s, 42_000_000, int(lived_s), started_unix_s=self._began_s, threads=9)
            journal = JournalState(True, self._asked, 0.001 * self._asked, 60_000, now_s)
            return self._ledger.draft(now_s, "0", powers_w, stats, journal=journal).snapshot()

    def _use(self, device: Device, since_s: float, now_s: float) -> float:
        power_w = _power_w(device, now_s, self._phase)
        workers = self._table.workers
        if device.kind == "gpu":
            here = [info.id for info in workers if info.place.facts.gpus == (device.index,)]
            usage = Usage(since_s, now_s, dict.fromkeys(here, 0.1), holders=frozenset(here))
        else:
            here = [info.id for info in (*workers, *self._table.hosts)]
            usage = Usage(since_s, now_s, dict.fromkeys(here, 0.1))
        delta = EnergyDelta(device, since_s, now_s, max(1, round(power_w * (now_s - since_s) * 1e6)))
        self._ledger.hold(delta, usage)
        self._ledger.post(_split(delta, here), lambda process: RUN if process in self._runners else "")
        return power_w


def _split(delta: EnergyDelta, processes: list[ProcessId]) -> Attribution:
    """Idle, and equal parts for the rest: a tenth of a GPU's for its contexts."""
    idle_uj = round(IDLE * delta.energy_uj)
    share_uj = (delta.energy_uj - idle_uj) // max(1, len(processes))
    context_uj = share_uj // 10 if delta.device.kind == "gpu" else 0
    rest_uj = delta.energy_uj - idle_uj - share_uj * len(processes)
    errors = {process: PartError((ERROR * share_uj) ** 2) for process in processes}
    contexts = dict.fromkeys(processes, context_uj) if context_uj else {}
    active = dict.fromkeys(processes, share_uj - context_uj)
    return Attribution(delta, idle_uj, contexts, active, rest_uj, errors)


def _power_w(device: Device, at_s: float, phase: int) -> float:
    mean_w = {"gpu": GPU_W, "cpu": CPU_W, "dram": DRAM_W}[device.kind]
    return mean_w * (1 + 0.1 * math.sin(at_s / 60 + phase + int(device.index)))


def _device(kind: str, node: str, index: int) -> Device:
    if kind == "gpu":
        return Device(f"GPU-{node}-{index:04d}-0000-0000-000000000000", "gpu", "NVIDIA H100 80GB HBM3", str(index))
    if kind == "cpu":
        return Device(f"package-{index}", "cpu", "Intel Xeon Platinum 8480+", str(index))
    return Device(f"package-{index}/dram", "dram", "Intel Xeon Platinum 8480+", str(index), f"package-{index}")
