"""`python -m benchmarks.profiling`: a profile of the agent on the node of the budget, for benchmarks/results."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.profiling.calls import instructions
from benchmarks.profiling.stacks import Stack, parse
from benchmarks.profiling.tables import call_table, function_table, thread_table
from benchmarks.suite import setting
from benchmarks.suite.document import Facts, Section, render
from benchmarks.suite.table import Options, Table
from benchmarks.watching.arm import running
from benchmarks.watching.crowd import crowd, light_work
from benchmarks.watching.field import field
from benchmarks.watching.node import Point
from benchmarks.watching.programs import AIPOWER

SETTLE_S = 12.0
"""What the agent does once, at its start, is over."""


def main(argv: Sequence[str] | None = None) -> int:
    """0, or 1 where a tool is missing or has failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiling", description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="how long the agent is looked at (120)")
    parser.add_argument("--looks", type=int, default=250, help="looks a second (250)")
    parser.add_argument("--rapl", action="store_true", help="with processors whose energy is shared out")
    parser.add_argument("--py-spy", default="py-spy", help="the program py-spy: pip install py-spy")
    parser.add_argument("--out", type=Path, help="the file of results (benchmarks/results/DATE-profile.md)")
    arguments = parser.parse_args(argv)
    date = setting.today()
    out = arguments.out or setting.ROOT / "benchmarks" / "results" / f"{date}-profile.md"
    began_s, load = time.monotonic(), setting.load_average()
    try:
        tables = _tables(arguments)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        print(f"benchmarks.profiling: {error}", file=sys.stderr)
        return 1
    command, machine = setting.command("benchmarks.profiling", argv), tuple(setting.machine())
    facts = Facts(date, command, machine, {}, "Profile of the agent")
    section = Section("profile", tables, load, setting.load_average(), time.monotonic() - began_s)
    out.write_text(render(facts, [section], [], out.parent))
    print(f"written to {out}", file=sys.stderr)
    return 0


def _tables(arguments: argparse.Namespace) -> Sequence[Table]:
    point = Point(rapl=arguments.rapl)
    with (
        TemporaryDirectory(prefix="aipower-profile-") as folder,
        field(Options(Path(folder), Path(folder), None)) as place,
        crowd(place.crowd, point.host_processes, light_work(point.host_processes)) as pids,
    ):
        node = place.node(point, pids)
        del node.variables["LD_PRELOAD"]  # which counts calls
        with running(AIPOWER, node, place.rivals) as run:
            time.sleep(SETTLE_S)
            stacks, cpu_ns, span_s = _looked_at(run.pid, arguments, Path(folder))
        calls = instructions(node.variables, Path(folder))
    return thread_table(stacks, cpu_ns, span_s), function_table(stacks), call_table(calls)


def _looked_at(pid: int, arguments: argparse.Namespace, folder: Path) -> tuple[list[Stack], Mapping[int, int], float]:
    """What was seen, and the nanoseconds of processor time of each thread over how many seconds."""
    raw, before, began_s = folder / "raw", _cpu_ns(pid), time.monotonic()
    wanted = ("--pid", str(pid), "--duration", str(arguments.seconds), "--rate", str(arguments.looks))
    options = ("--format", "raw", "--output", str(raw), "--threads", "--nonblocking")
    subprocess.run([arguments.py_spy, "record", *wanted, *options], stdout=subprocess.DEVNULL, check=True)
    after, span_s = _cpu_ns(pid), time.monotonic() - began_s
    used = {tid: used_ns - before.get(tid, 0) for tid, used_ns in after.items()}
    return list(parse(raw.read_text().splitlines())), used, span_s


def _cpu_ns(pid: int) -> Mapping[int, int]:
    """What each thread has used so far, by the kernel's clock."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(task.name): int((task / "schedstat").read_text().split()[0]) for task in tasks}
