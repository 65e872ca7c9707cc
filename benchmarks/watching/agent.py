"""What watching costs: aipower beside its rivals on the node of the budget, and along each axis from there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.suite.table import Options, Table
from benchmarks.watching import plan
from benchmarks.watching.arm import Cost, Timing, mean
from benchmarks.watching.field import Arm, Field, field, lanes, run
from benchmarks.watching.node import Point
from benchmarks.watching.programs import AIPOWER, NODE_EXPORTER, RIVALS, Program

NOTHING = "-"
BUDGET_CPU_PERCENT, BUDGET_RSS_MB = 0.5, 48.0
Costs = Mapping[Arm, Cost]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    rounds: int
    node: Timing
    axes: Timing
    points: Sequence[Point]


FULL = Sizes(2, Timing(10, 20, 10), Timing(7, 10, 5), plan.star())
QUICK = Sizes(
    1,
    Timing(1, 2, 1),
    Timing(1, 2, 1),
    plan.star({"rate_hz": (10.0,)}),
)


def tables(options: Options) -> Sequence[Table]:
    """Measure all: about eighteen minutes on two cores, quick one."""
    sizes = QUICK if options.quick else FULL
    programs = [program for program in (AIPOWER, *RIVALS) if program.available(options.rivals)]
    with field(options) as place:
        node = _rounds(place, node_arms(programs), sizes)
        axes = _once(place, axis_arms(programs, sizes.points), sizes.axes)
    return [node_table(node), *axis_tables(axes, programs)]


def node_arms(programs: Sequence[Program]) -> Sequence[Arm]:
    """All programs on the node of the budget; those with a page also while it is scraped once a second."""
    rapl = plan.with_rapl([plan.CENTRE])[0]
    ours = [Arm(AIPOWER, plan.CENTRE), Arm(AIPOWER, rapl)]
    others = [Arm(program, plan.CENTRE) for program in programs if program is not AIPOWER]
    scraped = [Arm(arm.program, arm.point, scraped=True) for arm in (*ours, *others) if arm.program.page]
    system = [Arm(NODE_EXPORTER, plan.CENTRE, scraped=True)] if NODE_EXPORTER.available(None) else []
    return sorted([*ours, *others, *scraped, *system], key=_place)


def _place(arm: Arm) -> tuple[int, bool, bool]:
    order = (AIPOWER, *RIVALS, NODE_EXPORTER)
    return order.index(arm.program), arm.point.rapl, arm.scraped


def axis_arms(programs: Sequence[Program], points: Sequence[Point]) -> Sequence[Arm]:
    """All programs at all points, and aipower also with RAPL where there are more host processes to look at."""
    centre = plan.CENTRE.host_processes
    rapl = plan.with_rapl([point for point in points if point == plan.CENTRE or point.host_processes != centre])
    ours = [Arm(AIPOWER, point) for point in rapl]
    return [*(Arm(program, point) for point in points for program in programs), *ours]


def _rounds(place: Field, arms: Sequence[Arm], sizes: Sizes) -> Mapping[Arm, Sequence[Cost]]:
    found: dict[Arm, list[Cost]] = {}
    for number in range(sizes.rounds):
        _say(f"the node of the budget, round {number + 1} of {sizes.rounds}: {len(arms)} arms")
        for arm, cost in run(place, arms, sizes.node):
            if cost is not None:
                found.setdefault(arm, []).append(cost)
    return found


def _once(place: Field, arms: Sequence[Arm], timing: Timing) -> Costs:
    found: dict[Arm, Cost] = {}
    for number, (arm, cost) in enumerate(run(place, arms, timing), 1):
        _say(f"{number} of {len(arms)}: {arm.program.name}, {plan.name(arm.point)}")
        if cost is not None:
            found[arm] = cost
    return found


def _say(words: str) -> None:
    print(f"watching: {words}", file=sys.stderr)


def node_table(found: Mapping[Arm, Sequence[Cost]]) -> Table:
    """All that is known of the programs on the node of the budget."""
    columns = (
        "program", "CPU, % of a core", "least and most", "times aipower", "context switches/s", "RSS MB", "PSS MB",
        "processes", "driver calls/s", "of the CPU in the driver", "/proc calls/s", "per process", "energy",
    )  # fmt: skip
    ours = found.get(Arm(AIPOWER, plan.CENTRE))
    rows = tuple(_node_row(arm, costs, mean(ours).cpu_percent if ours else None) for arm, costs in found.items())
    return Table("agent-node", f"Watching a node: {describe(plan.CENTRE)}", columns, rows, tuple(_node_notes(found)))


def _node_row(arm: Arm, costs: Sequence[Cost], ours: float | None) -> tuple[str, ...]:
    cost = mean(costs)
    all_percent = [each.cpu_percent for each in costs]
    counted = arm.program is not NODE_EXPORTER  # written in Go: it makes its calls without the C library
    return (
        arm_name(arm),
        f"{cost.cpu_percent:.2f}",
        f"{min(all_percent):.2f} to {max(all_percent):.2f}",
        f"{cost.cpu_percent / ours:.1f}" if ours else NOTHING,
        f"{cost.switches_per_s:.0f}",
        f"{cost.memory.rss_mb:.1f}",
        f"{cost.memory.pss_mb:.1f}",
        str(cost.memory.processes),
        f"{cost.per_s['calls']:.0f}",
        f"{cost.per_s['driver_percent']:.2f}",
        f"{proc_calls(cost):.0f}" if counted else NOTHING,
        arm.program.per_process,
        arm.program.energy,
    )


def arm_name(arm: Arm) -> str:
    """The program, and what is special about this arm of it."""
    return ", ".join([arm.program.name, *["RAPL"] * arm.point.rapl, *["scraped"] * arm.scraped])


def describe(point: Point) -> str:
    """`point` in words."""
    kind = "spinning" if point.latency.spin else "sleeping"
    return (
        f"{point.gpus} GPUs, {point.gpu_processes} busy GPU processes, {point.host_processes} host processes, "
        f"{point.rate_hz:g} Hz, {point.latency.microseconds:g} us a driver call, {kind}"
    )


def proc_calls(cost: Cost) -> float:
    """All calls on /proc per second."""
    return sum(cost.per_s[name] for name in ("opens", "reads", "looks"))


def _node_notes(found: Mapping[Arm, Sequence[Cost]]) -> Iterator[str]:
    yield from (f"{program.name}: {program.does}." for program in dict.fromkeys(arm.program for arm in found))
    yield "Each figure is a mean over the rounds; CPU is that of all processes of a program, by the kernel's clock."
    yield "RSS counts a page that several processes share once for each of them, PSS divides it."
    yield f"{lanes()} programs at a time, each on GPUs of its own; scraped: its page is read once a second besides."
    yield "Context switches are those of threads that lived to the end: codecarbon starts a thread for each look."
    yield (
        "RAPL: two packages with counters that move, so that the CPU time of all processes matters; for aipower only: "
        "no other program here can be shown such a tree."
    )
    yield "/proc calls are opens, reads and looks (stat, readlink) of files there, listing a folder counts as one."
    ours = found.get(Arm(AIPOWER, plan.CENTRE))
    if ours:
        cost = mean(ours)
        yield _budget("CPU", cost.cpu_percent, BUDGET_CPU_PERCENT, "% of a core")
        yield _budget("resident memory", cost.memory.rss_mb, BUDGET_RSS_MB, "MB")


def _budget(what: str, value: float, most: float, unit: str) -> str:
    return f"Budget of {what}: {value:.2f} of at most {most:g} {unit}: {'kept' if value <= most else 'missed'}."


def axis_tables(costs: Costs, programs: Sequence[Program]) -> Sequence[Table]:
    """A table for each figure: nodes as rows, programs as columns."""
    points = list(dict.fromkeys(arm.point for arm in costs))
    notes = (
        f"The node of the budget: {describe(plan.CENTRE)}; each row says how its node differs from it.",
        "One run of each; a gap is a program that refused or did not start: standard error of the run says which.",
        "nvitop-exporter's command line refuses more than 4 Hz: there a script of ours starts it.",
        "aluminatiai refuses more than 10 Hz; gpustat waits 0.1 s for each GPU, so that it never comes to 10 Hz.",
    )

    def table(short: str, title: str, show: Callable[[Cost], str]) -> Table:
        def cell(program: Program, point: Point) -> str:
            cost = costs.get(Arm(program, point))
            return show(cost) if cost is not None else NOTHING

        rows = tuple((plan.name(point), *(cell(program, point) for program in programs)) for point in points)
        return Table(f"agent-{short}", title, ("node", *(program.name for program in programs)), rows, notes)

    return [
        table("cpu", "CPU, percent of a core", lambda cost: f"{cost.cpu_percent:.2f}"),
        table("switches", "Context switches per second", lambda cost: f"{cost.switches_per_s:.0f}"),
        table("memory", "Proportional memory (PSS), MB", lambda cost: f"{cost.memory.pss_mb:.1f}"),
        table("driver", "Driver calls per second", lambda cost: f"{cost.per_s['calls']:.0f}"),
        table("proc", "Calls on /proc per second", lambda cost: f"{proc_calls(cost):.0f}"),
    ]
