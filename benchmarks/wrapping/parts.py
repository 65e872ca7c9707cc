"""What a wrapper costs the command in front of which it is put: measures three tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.suite.table import Options, Table
from benchmarks.wrapping.commands import TRUE, script, storm, units_of_half
from benchmarks.wrapping.session import Plan, Session, say, session
from benchmarks.wrapping.tables import Results, Told, script_table, storm_table, true_table
from benchmarks.wrapping.world import CALL_US, GPUS, SOCKETS
from benchmarks.wrapping.wrappers import perf_version


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    true: Plan
    script: Plan
    storms: Mapping[str, Plan]
    children: int


FULL = Sizes(Plan(25, 3, 70), Plan(7, 2, 100), {"fork": Plan(5, 1, 50), "exec": Plan(3, 1, 100)}, 10_000)
QUICK = Sizes(Plan(3, 1, 12), Plan(1, 0, 12), {"fork": Plan(1, 0, 5), "exec": Plan(1, 0, 5)}, 1_000)
_OF_OTHERS = (
    "con-duct, psrecord and, without a processor's own counters, perf stat tell no energy.",
    "carbontracker asks the network where it is, which takes longer where there is one.",
)


def tables(options: Options) -> Sequence[Table]:
    """Measure all: at most six minutes on two cores, quick one minute."""
    sizes = QUICK if options.quick else FULL
    say("wrapping: each once")
    with session(options) as now:
        told = Told(now.arms, now.rest_share)
        return [
            true_table(told, now.measure("a program that does nothing", TRUE, sizes.true), _notes(now)),
            script_table(told, now.measure("a script of a second", script(units_of_half()), sizes.script)),
            storm_table(told, {kind: _storm(now, sizes, kind) for kind in sizes.storms}, sizes.children),
        ]


def _storm(now: Session, sizes: Sizes, kind: str) -> Results:
    return now.measure(f"{sizes.children} children, {kind}", storm(kind, sizes.children), sizes.storms[kind])


def _notes(now: Session) -> tuple[str, ...]:
    nvml = f"{GPUS} GPUs of the scripted driver, {CALL_US:.0f} us of sleep in each of its calls"
    return (
        f"{nvml}; {SOCKETS} processors with running counters for aipower-run; load average {os.getloadavg()[0]:.1f}.",
        "The program notes when its first and its last instruction ran; all arms come by turns in a random order.",
        "CPU is that of the wrapper, the command and all that either started.",
        f"In brackets is what the agent took beyond the {100 * now.rest_share:.1f} % of a core that it takes anyhow.",
        "Peak RSS is that of the largest process; the agent's is not in it.",
        *((*_OF_OTHERS, f"perf is that of the system: {perf_version() or 'none'}.") if now.has_others else ()),
        *now.left_out,
    )
