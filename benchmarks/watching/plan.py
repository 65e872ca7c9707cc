"""Which nodes are measured: a star around the node of the budget, or all combinations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from types import MappingProxyType
from typing import Any

from benchmarks.watching.node import Point
from fake_driver.cost import Latency

CENTRE = Point()
LATENCIES: Sequence[Latency] = (
    Latency(),
    Latency(50),
    Latency(50, spin=True),
    Latency(1000),
    Latency(1000, spin=True),
)
AXES: Mapping[str, Sequence[Any]] = MappingProxyType(
    {
        "rate_hz": (1.0, 10.0, 50.0),
        "gpus": (1, 8, 16),
        "gpu_processes": (0, 64, 400),
        "host_processes": (500, 5000),
        "latency": LATENCIES,
    }
)


def star(axes: Mapping[str, Sequence[Any]] = AXES) -> Sequence[Point]:
    """The centre, and what differs from it along one axis."""
    rays = [replace(CENTRE, **{axis: value}) for axis, values in axes.items() for value in values]
    return (CENTRE, *(point for point in rays if point != CENTRE))


def with_rapl(points: Sequence[Point]) -> Sequence[Point]:
    """The same, with processors whose energy is to be shared out among all processes."""
    return tuple(replace(point, rapl=True) for point in points)


def cross() -> Iterator[Point]:
    """All combinations, with and without RAPL."""
    for values in product(*AXES.values(), (False, True)):
        yield Point(**dict(zip((*AXES, "rapl"), values, strict=True)))


def name(point: Point) -> str:
    """How `point` differs from the centre."""
    parts = [_word(axis, getattr(point, axis)) for axis in AXES if getattr(point, axis) != getattr(CENTRE, axis)]
    return ", ".join([*parts, *(["RAPL"] if point.rapl else [])]) or "the node of the budget"


def _word(axis: str, value: Any) -> str:  # noqa: ANN401 - as the axes are
    if axis == "latency":
        kind = "spinning" if value.spin else "sleeping"
        return f"{value.microseconds:g} us a call, {kind}" if value.microseconds else "calls that take no time"
    unit = {"rate_hz": "Hz", "gpus": "GPU" if value == 1 else "GPUs", "gpu_processes": "GPU processes"}
    return f"{value:g} {unit.get(axis, 'host processes')}"
