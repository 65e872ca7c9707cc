"""Rows that are kept from one document to the next: nobody can tell, but by the time that it takes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.model import Snapshot
from aipower.site.history import Part, Window
from aipower_exporters.api.lines import Line, Lines
from api.clients import client
from api.worlds import FakeScales, Size, World, down, world

PATHS = ("/api/v1/processes", "/api/v1/processes?sort=energy", "/api/v1/jobs")
Step = Callable[[World, Snapshot, random.Random], Snapshot]


def work(_it: World, now: Snapshot, dice: random.Random) -> Snapshot:
    rows = [replace(row, active_uj=row.active_uj + 10**7) if dice.random() < 0.3 else row for row in now.processes]
    jobs = [replace(row, energy_uj=row.energy_uj + 10**7) if dice.random() < 0.3 else row for row in now.jobs]
    return replace(now, processes=tuple(rows), jobs=tuple(jobs))


def close_window(it: World, now: Snapshot, dice: random.Random) -> Snapshot:
    device = dice.choice(now.devices).device.id
    it.history.windows.append(lighter(it.history.latest()[device], dice))
    return now


def lighter(window: Window, dice: random.Random) -> Window:
    """The next one, in which some draw less and some nothing."""
    parts = {one: Part(part.context_w, part.active_w / 2, 0.1) for one, part in window.parts.items()}
    return replace(window, parts={one: part for one, part in parts.items() if dice.random() < 0.7})


def leave(_it: World, now: Snapshot, dice: random.Random) -> Snapshot:
    gone = dice.choice(now.processes).info
    return replace(now, processes=tuple(row for row in now.processes if row.info is None or row.info is not gone))


def end(_it: World, now: Snapshot, dice: random.Random) -> Snapshot:
    ended = dice.choice(now.processes).info
    rows = [replace(row, ended_s=1.0) if row.info is ended else row for row in now.processes]
    return replace(now, processes=tuple(rows))


def rename(_it: World, now: Snapshot, dice: random.Random) -> Snapshot:
    return replace(now, runs=tuple(replace(run, name=f"run {dice.random()}") for run in now.runs))


def fail(_it: World, now: Snapshot, dice: random.Random) -> Snapshot:
    return down(now, dice.choice(now.devices).device.id)


def calibrate(it: World, now: Snapshot, dice: random.Random) -> Snapshot:
    it.scales = FakeScales(calibrated=[dice.choice(now.devices).device.id])
    return now


STEPS: tuple[Step, ...] = (work, close_window, leave, end, rename, fail, calibrate)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=8), st.integers(0, 2**32))
def test_who_keeps_rows_tells_what_others_tell(steps: list[Step], seed: int) -> None:
    it, dice = world(Size(history_s=3.0)), random.Random(seed)
    # The sources are the same for all: they ask the world of the moment.
    keeping = client(replace(it.sources(), scales=Moment(it)))
    for step in steps:
        assert it.snapshot is not None
        it.snapshot = replace(step(it, it.snapshot, dice), number=it.snapshot.number + 1)
        for path in PATHS:
            assert keeping.get(path) == client(it.sources()).get(path)


class Moment:
    """The scales that a world has now."""

    def __init__(self, it: World) -> None:
        self._world = it

    def scope(self, device: str) -> str | None:
        return self._world.scales.scope(device)

    def power_half_w(self, device: str, power_w: float) -> float | None:
        return self._world.scales.power_half_w(device, power_w)

    def energy_half_j(self, device: str, energy_j: float, span_s: float) -> float | None:
        return self._world.scales.energy_half_j(device, energy_j, span_s)


def test_a_line_is_made_where_something_behind_it_is_another_object() -> None:
    lines: Lines[str] = Lines()
    made: list[str] = []

    def ask(setting: object, sources: Mapping[str, tuple[object, ...]]) -> list[str]:
        made.clear()
        lines.of(setting, sources, lambda key: made.append(key) or Line(b"", None, 0, (key,), (key,)))  # type: ignore[func-returns-value]
        return list(made)

    one, two = [1.0], [1.0]
    assert ask("x", {"a": (one,), "b": (two,)}) == ["a", "b"]
    assert ask("x", {"a": (one,), "b": (two,)}) == []
    assert ask("x", {"a": (two,), "b": (two, one)}) == ["a", "b"], "equal is not the same"
    assert ask("y", {"a": (two,), "b": (two, one)}) == ["a", "b"]
    assert ask("y", {"b": (two, one)}) == []
    assert ask("y", {"a": (two,), "b": (two, one)}) == ["a"], "who is not asked for is forgotten"
