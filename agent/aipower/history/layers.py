"""The layers of a chart: by component, by device, by process."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, MutableSequence, Sequence
from heapq import nlargest
from operator import add, sub

from msgspec import Struct, field

from aipower.history.register import OTHERS
from aipower.history.scale import Doubt
from aipower.history.strip import COMPONENTS, Strip, summed
from aipower.model import ProcessId, ProcessInfo
from aipower.site.history import By, Layer, Values

MOST_PROCESSES = 10

Name = Callable[[int], ProcessInfo | None]
"""What is shown of the process of a number, if the history still tells of it."""


class _Sum(Struct):
    """Energy of a layer in each step."""

    doubt: Doubt
    energy_j: list[float] = field(default_factory=list)


class Grid(Struct, frozen=True):
    """What all layers share."""

    step_s: float
    known: Sequence[bool]
    """Whether some device has a part in the step."""

    def watts(self, energy_j: Sequence[float]) -> Values:
        """Mean power in each step."""
        return self._where_known([energy / self.step_s for energy in energy_j])

    def halves(self, doubt: Doubt) -> Values:
        """Half-widths of the mean power in each step."""
        return self._where_known(doubt.half_w(self.step_s))

    def _where_known(self, watts: Sequence[float]) -> Values:
        if all(self.known):
            return tuple(watts)
        return tuple([watt if known else None for watt, known in zip(watts, self.known, strict=True)])


def layers(by: By, strips: Sequence[Strip], grid: Grid, name: Name) -> tuple[Layer, ...]:
    """The layers in the order in which they are stacked."""
    if by == "device":
        return tuple(_device(strip, grid) for strip in strips)
    if by == "process":
        return tuple(_by_process(strips, grid, name))
    return tuple(_component(number, strips, grid) for number in range(len(COMPONENTS)))


def whole_doubt(strips: Iterable[Strip], steps: int) -> Doubt:
    """The error of all that the devices used."""
    doubt = Doubt(steps)
    for strip in strips:
        doubt.add_whole(strip.scale, strip.energy_j, strip.covered_s)
    return doubt


def _device(strip: Strip, grid: Grid) -> Layer:
    own = Grid(grid.step_s, [covered_s > 0 for covered_s in strip.covered_s])
    return Layer(strip.device, own.watts(strip.energy_j), own.halves(whole_doubt([strip], len(own.known))))


def _component(number: int, strips: Sequence[Strip], grid: Grid) -> Layer:
    """The idle level was read as it is; in what is above it the offset cancels."""
    steps = len(grid.known)
    doubt = Doubt(steps)
    for strip in strips:
        energy_j = strip.components_j[number]
        if COMPONENTS[number] == "idle":
            doubt.add_whole(strip.scale, energy_j, strip.covered_s)
        else:
            doubt.add_gain(strip.scale, energy_j)
    energy_j = summed((strip.components_j[number] for strip in strips), steps)
    return Layer(COMPONENTS[number], grid.watts(energy_j), grid.halves(doubt))


def _by_process(strips: Sequence[Strip], grid: Grid, name: Name) -> Iterable[Layer]:
    steps = len(grid.known)
    infos = {number: info for number in _biggest(strips) if (info := name(number)) is not None}
    sums = {number: _Sum(Doubt(steps), [0.0] * steps) for number in infos}
    others = _Sum(Doubt(steps), [0.0] * steps)
    for strip in strips:
        _take_in(strip, sums, others)
    for number, info in infos.items():
        found = sums[number]
        yield Layer(process_key(info.id), grid.watts(found.energy_j), grid.halves(found.doubt), info)
    yield Layer("others", grid.watts(others.energy_j), grid.halves(others.doubt))
    yield _component(COMPONENTS.index("unattributed"), strips, grid)
    yield _component(COMPONENTS.index("idle"), strips, grid)


def process_key(process: ProcessId) -> str:
    """The key of a process's layer."""
    return f"{process.boot}-{process.pid}-{process.started_ticks}"


def _biggest(strips: Iterable[Strip]) -> list[int]:
    """The numbers of the processes that used the most over all rows, the biggest first."""
    totals_j: dict[int, float] = {}
    for strip in strips:
        if (lone := _lone(strip)) != OTHERS:
            totals_j[lone] = totals_j.get(lone, 0.0) + sum(strip.rows.energy_j)
            continue
        for number, energy_j in zip(strip.rows.number, strip.rows.energy_j, strict=True):
            totals_j[number] = totals_j.get(number, 0.0) + energy_j
    totals_j.pop(OTHERS, None)
    return nlargest(MOST_PROCESSES, totals_j, key=lambda number: totals_j[number])


class _PerRow(Struct):
    """What the rows of one device tell of one process, zeros where they tell nothing."""

    energy_j: MutableSequence[float]
    variance_j2: MutableSequence[float]
    systematic_j: MutableSequence[float]


def _no_part(rows: int) -> _PerRow:
    return _PerRow([0.0] * rows, [0.0] * rows, [0.0] * rows)


def _take_in(strip: Strip, sums: dict[int, _Sum], others: _Sum) -> None:
    """Add what `strip` tells of each process; what is left of context + active is the others'."""
    found, rest = _per_row(strip, sums)
    _, context_j, active_j, _ = strip.components_j
    left_j = list(map(add, context_j, active_j))
    for number, per_row in found.items():
        energy_j = strip.layout.over_steps(per_row.energy_j)
        left_j = list(map(sub, left_j, energy_j))
        _add(sums[number], strip, energy_j, per_row)
    _add(others, strip, [max(0.0, energy) for energy in left_j], rest)


def _add(total: _Sum, strip: Strip, energy_j: Sequence[float], per_row: _PerRow) -> None:
    total.energy_j = list(map(add, total.energy_j, energy_j))
    total.doubt.add_gain(strip.scale, energy_j)
    if any(per_row.variance_j2) or any(per_row.systematic_j):
        total.doubt.add_own(
            strip.layout.over_steps(per_row.variance_j2), strip.layout.over_steps(per_row.systematic_j)
        )


def _per_row(strip: Strip, wanted: Container[int]) -> tuple[dict[int, _PerRow], _PerRow]:
    """The rows of each of the processes that `strip` tells of; of all others together their errors only."""
    rows = strip.rows
    size = len(rows.entries)
    lone = _lone(strip)
    if lone in wanted:
        return {lone: _PerRow(rows.energy_j, rows.variance_j2, rows.systematic_j)}, _no_part(0)
    rest = _no_part(size)
    found: dict[int, _PerRow] = {}
    entries = zip(strip.entry_rows(), rows.number, rows.energy_j, rows.variance_j2, rows.systematic_j, strict=True)
    for row, number, energy_j, variance_j2, systematic_j in entries:
        if number in wanted:
            part = found.get(number) or found.setdefault(number, _no_part(size))
            part.energy_j[row] = energy_j
            part.variance_j2[row] = variance_j2
            part.systematic_j[row] = systematic_j
        else:
            rest.variance_j2[row] += variance_j2
            rest.systematic_j[row] += systematic_j
    return found, rest


def _lone(strip: Strip) -> int:
    """The number of the only process that all rows tell of; `OTHERS` where there is none."""
    numbers = strip.rows.number
    lone = bool(numbers) and len(numbers) == len(strip.rows.entries) == numbers.count(numbers[0])
    return numbers[0] if lone and max(strip.rows.entries) == 1 else OTHERS
