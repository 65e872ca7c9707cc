"""Programs whose phases differ in power, length and order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from aipower.model import Device, ProcessId
from benchmarks.accuracy.case import AFTER_S, START_S, Case, Part, vary
from benchmarks.accuracy.scenarios.parts import gpu, noisy
from benchmarks.accuracy.sensors import MODELS, publish
from benchmarks.accuracy.truth import Steps, Sum
from benchmarks.accuracy.usage import CountedCpu, SampledGpu
from benchmarks.accuracy.world import Holding, Stretch, compose, process
from benchmarks.phases.program import Path, Program, Thread, truths_j
from benchmarks.phases.watch import PhaseCase

IDLE_W, CONTEXT_W = 45.0, 10.0
TRAIN_W, EVAL_W, LOADING_W = 245.0, 65.0, 0.0
"""Above the idle level and the context: 300, 120 and 55 W of the whole device."""
BETWEEN_S = (0.0001, 0.003)
"""From the end of a phase to the begin of the next."""
CPUS, CPU_STATIC_W, PER_CPU_W = 32, 95.0, 6.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A class of cases that differ by chance."""

    name: str
    build: Callable[[random.Random], PhaseCase]


def _begin(rng: random.Random, pid: int = 1, first_id: int = 1) -> Thread:
    """A program that first loads its libraries."""
    thread = Thread(pid, START_S, first_id)
    thread.do(rng.uniform(0.3, 1.5), 0.0)
    return thread


def _finish(thread: Thread, rng: random.Random) -> Thread:
    thread.do(rng.uniform(0.1, 0.6), 0.0)
    return thread


def _steady(thread: Thread, _: random.Random, seconds: float, watts: float) -> None:
    thread.do(seconds, watts)


def _unsteady(thread: Thread, rng: random.Random, seconds: float, watts: float) -> None:
    """Work that goes up and down by a third, as the layers of a network do."""
    end_s = thread.now_s + seconds
    while thread.now_s < end_s:
        left_s = end_s - thread.now_s
        thread.do(min(left_s, rng.uniform(0.005, 0.3)) or left_s, watts * rng.uniform(0.67, 1.33))
        if end_s - thread.now_s < 1e-9:
            break


Do = Callable[[Thread, random.Random, float, float], None]


def turns(
    rng: random.Random, length_s: float, total_s: float, do: Do = _steady, pid: int = 1, spread: float = 0.5
) -> Thread:
    """Loading, training and evaluation by turns, each about `length_s` long."""
    thread = _begin(rng, pid)
    levels = {name: vary(rng, w, 0.1) for name, w in (("load", LOADING_W), ("train", TRAIN_W), ("eval", EVAL_W))}
    for name in itertools.cycle(levels):
        with thread.phase(name):
            do(thread, rng, length_s * rng.uniform(1 - spread, 1 + spread), levels[name])
        if thread.now_s > START_S + total_s and name == "eval":
            return _finish(thread, rng)
        thread.do(rng.uniform(*BETWEEN_S), 0.0)
    raise AssertionError


def rare(rng: random.Random, length_s: float, count: int, do: Do = _steady) -> Thread:
    """Short evaluations between long trainings."""
    thread = _begin(rng)
    train_w, eval_w = vary(rng, TRAIN_W, 0.1), vary(rng, EVAL_W, 0.1)
    for _ in range(count):
        with thread.phase("train"):
            do(thread, rng, rng.uniform(3, 6), train_w)
        thread.do(rng.uniform(*BETWEEN_S), 0.0)
        with thread.phase("eval"):
            do(thread, rng, length_s * rng.uniform(0.9, 1.1), eval_w)
        thread.do(rng.uniform(*BETWEEN_S), 0.0)
    return _finish(thread, rng)


def nested(rng: random.Random, step_s: float, epochs: int, steps: int) -> Thread:
    """Epochs of steps, each of data, forward, backward and update; then a validation."""
    thread = _begin(rng)
    levels = {"data": 5.0, "forward": vary(rng, 200.0), "backward": vary(rng, 290.0), "update": vary(rng, 90.0)}
    shares = {"data": 0.15, "forward": 0.3, "backward": 0.45, "update": 0.1}
    for _ in range(epochs):
        with thread.phase("epoch"):
            for _ in range(steps):
                with thread.phase("step"):
                    for name, watts in levels.items():
                        with thread.phase(name):
                            thread.do(step_s * shares[name] * rng.uniform(0.9, 1.1), watts)
            with thread.phase("val"):
                thread.do(vary(rng, 2.0), EVAL_W)
        thread.do(rng.uniform(0.05, 0.5), 0.0)
    return _finish(thread, rng)


def alternating(rng: random.Random, one_s: float, other_s: float, total_s: float) -> Thread:
    """Two phases by turns that are far too short for any sensor."""
    thread = _begin(rng)
    one_w, other_w = vary(rng, TRAIN_W), vary(rng, EVAL_W)
    while thread.now_s < START_S + total_s:
        for name, seconds, watts in (("long", one_s, one_w), ("short", other_s, other_w)):
            with thread.phase(name):
                thread.do(vary(rng, seconds, 0.02), watts)
    return _finish(thread, rng)


def two_threads(rng: random.Random, length_s: float, total_s: float) -> Sequence[Thread]:
    """Two threads of one process in phases of their own: what both draw at once is halved between these."""
    one, other = Thread(1, START_S, 1), Thread(1, START_S, 1_000_000)
    for thread, names in ((one, ("train", "eval")), (other, ("copy", "wait"))):
        thread.do(rng.uniform(0.3, 1.5), 0.0)
        watts = {"train": TRAIN_W - 60.0, "eval": EVAL_W, "copy": 60.0, "wait": 0.0}
        while thread.now_s < START_S + total_s:
            for name in names:
                with thread.phase(name):
                    thread.do(length_s * rng.uniform(0.5, 1.5), watts[name])
        _finish(thread, rng)
    return [one, other]


def _neighbour(rng: random.Random, end_s: float, span_s: tuple[float, float]) -> list[Stretch]:
    """A stranger who works now and then."""
    stretches, at_s, watts = [], START_S, vary(rng, 120.0)
    while at_s < end_s:
        on_s, off_s = rng.uniform(*span_s), rng.uniform(*span_s)
        stretches.append(Stretch(process(900), at_s, min(at_s + on_s, end_s), watts))
        at_s += on_s + off_s
    return stretches


def case_of(
    rng: random.Random,
    programs: Sequence[Program],
    model: str,
    neighbour_s: tuple[float, float] | None = None,
    subjects: Mapping[Path, str] | None = None,
) -> PhaseCase:
    """Programs on a GPU each, or on one together; with a stranger on the first."""
    end_s = max(program.end_s for program in programs)
    context_w: dict[ProcessId, float] = {}
    parts = [
        _part(rng, [p for p in programs if p.device == device], device, model, end_s, neighbour_s, context_w)
        for device in sorted({program.device for program in programs})
    ]
    names = {program.process: "job" for program in programs} | {process(900): "stranger"}
    case = Case(parts, end_s, names=names, strangers=frozenset({process(900)}))
    truths = truths_j(programs, context_w, (START_S, end_s))
    lines = sorted((line for program in programs for line in program.lines()), key=lambda line: line[0])
    shown = subjects if subjects is not None else {path: "/".join(path) or "outside" for path in truths}
    return PhaseCase(case, lines, truths, shown)


def _part(
    rng: random.Random,
    programs: Sequence[Program],
    number: int,
    model: str,
    end_s: float,
    neighbour_s: tuple[float, float] | None,
    context_w: dict[ProcessId, float],
) -> Part:
    step_w, idle_w = vary(rng, CONTEXT_W), vary(rng, IDLE_W, 0.1)
    stretches = [one for program in programs for one in program.stretches()]
    holders = [program.process for program in programs]
    if neighbour_s:
        stretches += _neighbour(rng, end_s, neighbour_s)
        holders.append(process(900))
    context_w.update({who: step_w / len(holders) for who in holders})
    world = compose(idle_w, step_w, stretches, [Holding(who, START_S, end_s) for who in holders])
    power, kind = noisy(world.power, rng, end_s), MODELS[model]
    activity = SampledGpu(world, rng, end_s + AFTER_S)
    return Part(gpu(number), power, kind, publish(power, kind, rng), activity, world.joules, world.holdings)


def one(
    rng: random.Random,
    build: Callable[[random.Random], Thread],
    model: str,
    neighbour_s: tuple[float, float] | None = None,
) -> PhaseCase:
    """A single program on one GPU."""
    return case_of(rng, [Program([build(rng)])], model, neighbour_s)


def threads(rng: random.Random, length_s: float, model: str) -> PhaseCase:
    """A program of two threads."""
    return case_of(rng, [Program(two_threads(rng, length_s, 25.0))], model)


def ranks(rng: random.Random, length_s: float, model: str, *, shared: bool = False) -> PhaseCase:
    """Four ranks, each with a GPU or all on one, in phases of their own."""
    programs = [
        Program([turns(rng, length_s, 25.0, pid=number + 1)], device=0 if shared else number) for number in range(4)
    ]
    return case_of(rng, programs, model)


def beside(rng: random.Random, model: str) -> PhaseCase:
    """A program that tells of phases, and one of the same run that does not."""
    other = _begin(rng, 2)
    other.do(20.0, 80.0)
    return case_of(rng, [Program([turns(rng, 2.0, 25.0)]), Program([other], tells=False)], model)


def on_cpu(rng: random.Random, length_s: float, model: str) -> PhaseCase:
    """A program whose phases keep more or fewer cores busy."""
    thread = turns(rng, length_s, 30.0)
    program = Program([thread])
    end_s, who = program.end_s, program.process
    cores = Steps([(0.0, 0.0), *((one.start_s, one.watts / 10) for one in program.swept()), (end_s, 0.0)])
    drawn = cores.scaled(10.0)
    power = noisy(Sum((Steps([(0.0, vary(rng, CPU_STATIC_W))]), drawn)), rng, end_s)
    kind = MODELS[model]
    device = Device("package-0", "cpu", "simulated", "0")
    part = Part(
        device,
        power,
        kind,
        publish(power, kind, rng),
        CountedCpu({who: cores}, CPUS),
        {who: drawn.between_j(0, end_s)},
    )
    truths = truths_j([program], {}, (START_S, end_s))
    case = Case([part], end_s, names={who: "job"})
    return PhaseCase(case, program.lines(), truths, {path: "/".join(path) or "outside" for path in truths})


SHORT_S, SLOW_S = (0.03, 0.4), (2.0, 8.0)
"""How long a stranger works and pauses."""
CPU_LENGTHS_S = (10.0, 2.0, 0.5, 0.15)


def catalogue() -> Mapping[str, Scenario]:
    """All scenarios by name."""
    both = ("h100", "v100")
    found = [case for model in ("h100", "v100", "ga100-part", "h100-part", "pascal") for case in _turns(model)]
    found += [case for model in both for case in _single(model)]
    found += [case for model in both for case in _several(model)]
    found.append(Scenario("ranks-shared/2s/h100", partial(ranks, length_s=2.0, model="h100", shared=True)))
    found += [Scenario(f"cpu/{s:g}s/rapl", partial(on_cpu, length_s=s, model="rapl")) for s in CPU_LENGTHS_S]
    return {case.name: case for case in found}


def _turns(model: str) -> Iterator[Scenario]:
    for length_s, total_s in ((10.0, 40.0), (2.0, 25.0), (0.5, 20.0), (0.15, 15.0)):
        yield _of(f"turns/{length_s:g}s", model, partial(turns, length_s=length_s, total_s=total_s))


def _single(model: str) -> Iterator[Scenario]:
    """A program that has the device for itself."""
    for length_s in (2.0, 0.5, 0.15):
        yield _of(f"rare/{length_s:g}s", model, partial(rare, length_s=length_s, count=6))
    for length_s in (2.0, 0.5):
        yield _of(f"unsteady/{length_s:g}s", model, partial(turns, length_s=length_s, total_s=25.0, do=_unsteady))
    for step_s in (1.0, 0.3):
        yield _of(f"nested/{step_s:g}s", model, partial(nested, step_s=step_s, epochs=2, steps=round(8 / step_s)))
    yield _of("alternating/10+5ms", model, partial(alternating, one_s=0.010, other_s=0.005, total_s=10.0))


def _several(model: str) -> Iterator[Scenario]:
    """Strangers, threads, ranks, and a process that does not tell."""
    for length_s in (2.0, 0.5):
        yield _of(f"neighbour/{length_s:g}s", model, partial(turns, length_s=length_s, total_s=25.0), SHORT_S)
    yield _of("neighbour-slow/2s", model, partial(turns, length_s=2.0, total_s=40.0), SLOW_S)
    for length_s in (2.0, 0.5):
        yield Scenario(f"threads/{length_s:g}s/{model}", partial(threads, length_s=length_s, model=model))
        yield Scenario(f"ranks/{length_s:g}s/{model}", partial(ranks, length_s=length_s, model=model))
    yield Scenario(f"beside/2s/{model}", partial(beside, model=model))


def _of(
    name: str, model: str, build: Callable[[random.Random], Thread], neighbour_s: tuple[float, float] | None = None
) -> Scenario:
    return Scenario(f"{name}/{model}", partial(one, build=build, model=model, neighbour_s=neighbour_s))
