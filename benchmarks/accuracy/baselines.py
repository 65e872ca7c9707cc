"""What naive tools would say, from the same sensors."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Mapping

from aipower.model import ProcessId
from benchmarks.accuracy.case import Case, Part
from benchmarks.accuracy.estimates import Estimate
from benchmarks.accuracy.published import Signal

POLL_S = 1.0
KEPLER_S = 5.0
"""Kepler's usual interval."""

Shared = Mapping[ProcessId, float]


def estimates(case: Case, rng: random.Random) -> Iterable[Estimate]:
    """What each naive method that applies says of `case`."""
    for part in case.parts:
        if case.watcher == "run":
            yield from _of_device(case, part, rng)
        if part.joules and part.device.kind == "gpu" and part.published.counter_uj(case.start_s) is not None:
            for method, found_j in _gpu_methods(case, part):
                yield from _of_processes(part, method, found_j)
        if part.joules and part.device.kind == "cpu":
            for method, found_j in _cpu_methods(case, part):
                yield from _of_processes(part, method, found_j)


def _of_device(case: Case, part: Part, rng: random.Random) -> Iterable[Estimate]:
    true_j = part.power.between_j(case.start_s, case.end_s)
    if part.model.draw is not None:
        found_j = trapezoid_j(part, part.model.draw, case.start_s, case.end_s, rng.random() * POLL_S)
        yield Estimate("power.draw 1 Hz", "device", true_j, found_j)
    if (raw_j := counted_j(part, case.start_s, case.end_s)) is not None:
        yield Estimate("raw counter", "device", true_j, raw_j)


def _of_processes(part: Part, method: str, found_j: Shared) -> Iterable[Estimate]:
    for process, true_j in part.joules.items():
        yield Estimate(method, "process", true_j, found_j.get(process, 0.0))
    for name, members in part.groups.items():
        group_j = sum(found_j.get(member, 0.0) for member in members)
        yield Estimate(method, name, sum(part.joules[member] for member in members), group_j)


def trapezoid_j(part: Part, signal: Signal, start_s: float, end_s: float, phase_s: float) -> float:
    """Power read each second by a free-running poller, joined by lines, from `start_s` to `end_s`."""
    first_s = start_s - POLL_S - phase_s
    count = int((end_s - first_s) / POLL_S) + 2
    polls = [(first_s + k * POLL_S, part.published.watts(signal, first_s + k * POLL_S)) for k in range(count)]
    energy_j = 0.0
    for (a_s, a_w), (b_s, b_w) in itertools.pairwise(polls):
        low_s, high_s = max(a_s, start_s), min(b_s, end_s)
        if high_s > low_s:
            middle = ((low_s + high_s) / 2 - a_s) / (b_s - a_s)
            energy_j += (a_w + (b_w - a_w) * middle) * (high_s - low_s)
    return energy_j


def counted_j(part: Part, start_s: float, end_s: float) -> float | None:
    """The difference of two reads of the counter; None without one."""
    first_uj, last_uj = part.published.counter_uj(start_s), part.published.counter_uj(end_s)
    if first_uj is None or last_uj is None:
        return None
    modulus_uj = part.model.counter.modulus_uj if part.model.counter else None
    return (last_uj - first_uj if modulus_uj is None else (last_uj - first_uj) % modulus_uj) / 1e6


def _gpu_methods(case: Case, part: Part) -> Iterable[tuple[str, Shared]]:
    yield "share of 5 s (Kepler)", _shared(case, KEPLER_S, part, _by_use, _drawn_j)
    yield "share of counter 1 s", _shared(case, POLL_S, part, _by_use, _windows_j)
    if part.slices:
        yield "instance activity", _shared(case, POLL_S, part, _by_instance, _windows_j)
    yield "memory share", _shared(case, POLL_S, part, _by_memory, _windows_j)
    yield "whole GPU (DCGM)", {h.process: _windows_j(part, h.start_s, h.end_s) for h in part.holdings}


def _cpu_methods(case: Case, part: Part) -> Iterable[tuple[str, Shared]]:
    yield "share of capacity (C0)", _shared(case, POLL_S, part, _by_capacity, _windows_j)
    yield "share of CPU time (C1)", _shared(case, POLL_S, part, _by_use, _windows_j)


def _shared(
    case: Case,
    window_s: float,
    part: Part,
    weigh: Callable[[Part, float, float], Shared],
    energy_of: Callable[[Part, float, float], float],
) -> Shared:
    found_j: dict[ProcessId, float] = {}
    count = max(1, round((case.end_s - case.start_s) / window_s))
    width_s = (case.end_s - case.start_s) / count
    for number in range(count):
        start_s = case.start_s + number * width_s
        energy_j = energy_of(part, start_s, start_s + width_s)
        for process, share in weigh(part, start_s, start_s + width_s).items():
            found_j[process] = found_j.get(process, 0.0) + energy_j * share
    return found_j


def _drawn_j(part: Part, start_s: float, end_s: float) -> float:
    """Power at the end of the window for all of it."""
    signal = part.model.draw or part.model.instant
    return part.published.watts(signal, end_s) * (end_s - start_s) if signal else 0.0


def _windows_j(part: Part, start_s: float, end_s: float) -> float:
    return counted_j(part, start_s, end_s) or 0.0


def _by_use(part: Part, start_s: float, end_s: float) -> Shared:
    busy_s = part.activity.usage(start_s, end_s).busy_s if part.activity else {}
    total_s = sum(busy_s.values())
    return {process: seconds / total_s for process, seconds in busy_s.items()} if total_s else {}


def _by_instance(part: Part, start_s: float, end_s: float) -> Shared:
    """Activity of each instance as it shows it, whatever its size (Kepler's proposal for MIG)."""
    busy_s = part.activity.usage(start_s, end_s).busy_s if part.activity else {}
    own_s = {process: seconds / part.slices[process] for process, seconds in busy_s.items()}
    return {process: seconds / sum(own_s.values()) for process, seconds in own_s.items()}


def _by_capacity(part: Part, start_s: float, end_s: float) -> Shared:
    usage = part.activity.usage(start_s, end_s) if part.activity else None
    if usage is None or not usage.capacity_s:
        return {}
    return {process: seconds / usage.capacity_s for process, seconds in usage.busy_s.items()}


def _by_memory(part: Part, start_s: float, end_s: float) -> Shared:
    middle_s = (start_s + end_s) / 2
    held = {h.process: h.memory_gb for h in part.holdings if h.start_s <= middle_s < h.end_s}
    return {process: gb / sum(held.values()) for process, gb in held.items()}
