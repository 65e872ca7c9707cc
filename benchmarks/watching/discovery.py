"""How soon the agent knows many new processes, and what getting to know them costs it."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.suite.table import Table
from benchmarks.watching import plan
from benchmarks.watching.arm import Running, running
from benchmarks.watching.crowd import Work, crowd, light_work
from benchmarks.watching.field import Field
from benchmarks.watching.gauge import usage
from benchmarks.watching.node import gpus
from benchmarks.watching.programs import AIPOWER, fetch
from fake_driver.parts import Process, Sampler
from fake_driver.script import Machine

BASE = 500
"""Processes that are there before."""
SETTLE_S = 6.0
STEADY_S = 5.0
LIMIT_S = 60.0
PAGE_LOOK_S, COUNT_LOOK_S = 0.5, 0.02
FLAGS = ("--max-processes", "20000")
ASLEEP = Work(0, 0)
_PID = re.compile(rb'^aipower_process_info\{[^}]*\bpid="(\d+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """What happened after the new processes were there."""

    after_s: float | None
    """Seconds until all were known; None where that took more than a minute."""
    extra_cpu_s: float
    """CPU seconds until all were known, in 5 s at least, over what the agent used in that time before."""
    extra_later_s: float
    """The same of the 5 s after that: what keeping them costs."""


def discovery_table(place: Field, *, quick: bool) -> Table:
    """New processes on the GPUs and on the host."""
    many = 1000 if quick else 5000
    rows = []
    for count in (400, many):
        _say(f"{count} new GPU processes")
        rows.append(_row(f"{count} new GPU processes, until all are on the page", _gpu_processes(place, count)))
    _say(f"{many} new host processes")
    rows.append(_row(f"{many} new host processes, RAPL, until all were looked at", _host_processes(place, many)))
    columns = ("what", "seconds", "CPU s more meanwhile (5 s at least)", "CPU s more in the next 5 s")
    notes = (
        f"Around the node of the budget with {BASE} processes; default settings, but that all accounts are shown.",
        "On the page: /metrics was read every half second until it named all; the CPU time of that is in the figure.",
        "Looked at means that the agent has opened as many files below /proc as there are new processes.",
    )
    return Table("growth-discovery", "Until new processes are known", columns, tuple(rows), notes)


def _say(words: str) -> None:
    print(f"growth: {words}", file=sys.stderr)


def _row(what: str, found: Found) -> tuple[str, ...]:
    after = f"over {LIMIT_S:.0f}" if found.after_s is None else f"{found.after_s:.1f}"
    return what, after, f"{found.extra_cpu_s:.2f}", f"{found.extra_later_s:.2f}"


def _gpu_processes(place: Field, count: int) -> Found:
    """The agent reads once a second; then the driver lists `count` processes more."""
    point = replace(plan.CENTRE, gpu_processes=0, host_processes=BASE)
    with crowd(place.crowd, BASE, light_work(BASE)) as pids, crowd(place.crowd, count, ASLEEP) as fresh:
        node = place.node(point, pids)
        script = node.folder / "machine.txt"
        before = Machine(tuple(replace(gpu, sampler=Sampler("each")) for gpu in gpus(point, pids)), live=True)
        before.write(script)
        after = _with_processes(before, fresh)
        with running(AIPOWER, node, place.rivals, FLAGS) as run:
            steady = _steady(run)
            after.write(script)
            return _watch(run, steady, lambda: set(fresh) <= _shown(run.place.port), PAGE_LOOK_S)


def _with_processes(machine: Machine, pids: Sequence[int]) -> Machine:
    """`machine` with `pids` spread over its GPUs; each is in all samples, so that none is waited for."""
    step = len(machine.gpus)
    own = [tuple(Process(pid, busy=1.0, memory_bytes=1 << 20) for pid in pids[number::step]) for number in range(step)]
    fuller = (replace(gpu, processes=processes) for gpu, processes in zip(machine.gpus, own, strict=True))
    return replace(machine, gpus=tuple(fuller))


def _shown(port: int) -> set[int]:
    return {int(pid) for pid in _PID.findall(fetch(port))}


def _host_processes(place: Field, count: int) -> Found:
    """The agent shares out the energy of processors; then `count` processes more are there."""
    point = replace(plan.CENTRE, host_processes=BASE, rapl=True)
    with crowd(place.crowd, BASE, light_work(BASE)) as pids:
        node = place.node(point, pids)
        with running(AIPOWER, node, place.rivals, FLAGS) as run:
            steady = _steady(run)
            node.count(on=True)
            with crowd(place.crowd, count, ASLEEP):
                return _watch(run, steady, lambda: node.proc.read()["opens"] >= count, COUNT_LOOK_S)


def _steady(run: Running) -> float:
    """CPU seconds per second of the agent once it has settled."""
    time.sleep(SETTLE_S)
    return _spent_s(run, STEADY_S) / STEADY_S


def _spent_s(run: Running, seconds: float) -> float:
    before_s = usage(run.pid).cpu_s
    time.sleep(seconds)
    return usage(run.pid).cpu_s - before_s


def _watch(run: Running, steady: float, known: Callable[[], bool], look_s: float) -> Found:
    """Look until all are known."""
    before = usage(run.pid)
    while not (found := known()) and time.monotonic() - before.at_s < LIMIT_S:
        time.sleep(look_s)
    after_s = time.monotonic() - before.at_s
    time.sleep(max(0.0, STEADY_S - after_s))
    now = usage(run.pid)
    extra_s = now.cpu_s - before.cpu_s - steady * (now.at_s - before.at_s)
    return Found(after_s if found else None, extra_s, _spent_s(run, STEADY_S) - steady * STEADY_S)
