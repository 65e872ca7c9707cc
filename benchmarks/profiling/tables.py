"""The tables of a profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from benchmarks.profiling.stacks import Stack, by_function
from benchmarks.suite.table import Table

MOST = 40
"""Functions that are shown."""
OURS = "aipower"


def thread_table(stacks: Sequence[Stack], cpu_ns: Mapping[int, int], span_s: float) -> Table:
    """What each thread takes."""
    names = {stack.tid: stack.thread for stack in stacks}
    seen = Counter(dict.fromkeys(cpu_ns, 0))
    for stack in stacks:
        seen[stack.tid] += stack.count
    ordered = sorted(cpu_ns, key=lambda tid: cpu_ns[tid], reverse=True)
    rows = [(names.get(tid, "never seen at work"), _rate(cpu_ns[tid], span_s), str(seen[tid])) for tid in ordered]
    total = ("all", _rate(sum(cpu_ns.values()), span_s), str(seen.total()))
    notes = ("CPU time is the kernel's (schedstat), also of threads that py-spy never met at work.",)
    columns = ("thread", "CPU, ms/s", "looks at work")
    return Table("profile-threads", "By thread", columns, (*rows, total), notes)


def _rate(used_ns: int, span_s: float) -> str:
    return f"{used_ns / 1e6 / span_s:.2f}"


def function_table(stacks: Sequence[Stack]) -> Table:
    """The functions that most time is spent in or below."""
    whole = sum(stack.count for stack in stacks) or 1
    rows = [
        (function, f"{100 * within / whole:.1f}", f"{100 * itself / whole:.1f}")
        for function, (itself, within) in by_function(stacks).items()
        if OURS in function
    ]
    notes = (
        "py-spy, without stopping the agent; a look at a thread that waits is left out. Percent of all looks.",
        "With few looks the figures are rough: n of N looks are off by the root of n.",
    )
    columns = ("function", "with what it calls, %", "itself, %")
    return Table("profile-functions", "By function", columns, tuple(rows[:MOST]), notes)


def call_table(instructions: Mapping[str, float]) -> Table:
    """What a call of the driver takes."""
    rows = tuple((name, f"{count:,.0f}") for name, count in instructions.items())
    notes = ("callgrind: the difference of two runs, so without start and end; the simulated driver's own are in it.",)
    return Table("profile-calls", "Instructions of a driver call", ("call", "instructions"), rows, notes)
