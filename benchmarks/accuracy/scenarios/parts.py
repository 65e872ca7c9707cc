"""What scenarios are put together from."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from aipower.model import Device, ProcessId
from benchmarks.accuracy.case import AFTER_S, START_S, Case, Part, Watcher
from benchmarks.accuracy.published import Card
from benchmarks.accuracy.sensors import MODELS, Model, publish
from benchmarks.accuracy.truth import Noise, Power, Sum
from benchmarks.accuracy.usage import SampledGpu
from benchmarks.accuracy.world import Segment, World, process

Steps = list[tuple[float, float]]


def gpu(number: int = 0) -> Device:
    """A simulated GPU."""
    return Device(f"GPU-{number}", "gpu", "simulated", str(number))


def noisy(power: Power, rng: random.Random, end_s: float) -> Power:
    """`power` with the noise of a real card."""
    return Sum((power, Noise(rng, end_s + AFTER_S)))


def device_case(
    power: Power,
    model: str | Model,
    rng: random.Random,
    seconds: float,
    card: Card | None = None,
    busy: Sequence[tuple[float, float]] | None = None,
) -> Case:
    """A run on one GPU of which only the device's energy counts; `busy` is when it works, by default always."""
    kind = MODELS[model] if isinstance(model, str) else model
    end_s = START_S + seconds
    whole = noisy(power, rng, end_s)
    published = publish(whole, kind, rng, card)
    spans = [(START_S, end_s)] if busy is None else busy
    world = World(power, [Segment(start, end, (process(1),)) for start, end in spans], (), {})
    return Case([Part(gpu(), whole, kind, published, SampledGpu(world, rng, end_s + AFTER_S))], end_s)


def shared_case(
    world: World,
    rng: random.Random,
    end_s: float,
    model: str = "h100",
    groups: Mapping[str, frozenset[ProcessId]] | None = None,
    names: Mapping[ProcessId, str] | None = None,
    watcher: Watcher = "run",
    card: Card | None = None,
) -> Case:
    """Processes on one GPU whose driver samples who works."""
    kind, power = MODELS[model], noisy(world.power, rng, end_s)
    part = Part(
        gpu(),
        power,
        kind,
        publish(power, kind, rng, card),
        SampledGpu(world, rng, end_s + AFTER_S),
        world.joules,
        world.holdings,
        groups or {},
    )
    return Case([part], end_s, watcher, names or {who: f"job{who.pid}" for who in world.joules})


def on_off(
    rng: random.Random,
    start_s: float,
    end_s: float,
    low_w: float,
    phases: Callable[[random.Random], tuple[float, float, float]],
) -> Steps:
    """`(on_s, off_s, watts)` after one another from `start_s` to `end_s`, `low_w` between and around."""
    steps: Steps = [(0.0, low_w)]
    on_s, off_s, watts = phases(rng)
    at_s = start_s - rng.random() * (on_s + off_s)
    while at_s < end_s:
        for from_s, to_s, level_w in ((at_s, at_s + on_s, watts), (at_s + on_s, at_s + on_s + off_s, low_w)):
            if to_s > start_s and from_s < end_s:
                steps.append((max(from_s, start_s), level_w))
        at_s += on_s + off_s
        on_s, off_s, watts = phases(rng)
    return [*steps, (end_s, low_w)]


def cut(total: float, pieces: int, rng: random.Random) -> Sequence[float]:
    """`total` in about equal random pieces."""
    weights = [rng.uniform(0.5, 1.5) for _ in range(pieces)]
    return [total * weight / sum(weights) for weight in weights]
