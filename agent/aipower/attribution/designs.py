"""What is regressed on what: the difference between a GPU and a processor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from msgspec.structs import replace

from aipower.attribution.baseline import Baseline, Floor
from aipower.attribution.evidence import Evidence, Prior, Solution
from aipower.attribution.priors import of_processors, of_programs
from aipower.attribution.rows import Row
from aipower.attribution.window import Window
from aipower.attribution.work import STATIC, STEP
from aipower.model import UJ_PER_J

Solver = Callable[[Evidence], Solution]


class Design(Protocol):
    """How the windows of one kind of device are put into a regression."""

    @property
    def baseline(self) -> Baseline:
        """What is learned of the device without work."""
        ...

    def has_choice(self, windows: Iterable[Window]) -> bool:
        """True where intensities make a difference to the split of `windows`."""
        ...

    def row(self, window: Window) -> Row | None:
        """What a window says; None where it says nothing."""
        ...

    def solver(self, windows: Iterable[Window]) -> Solver:
        """What makes of evidence with `windows` in it the intensities that it shows."""
        ...

    def floor(self, window: Window, solution: Solution) -> Floor:
        """What of the window is no work."""
        ...


class Gpu:
    """Work above the idle level and the contexts, on busy time."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline

    def has_choice(self, windows: Iterable[Window]) -> bool:
        """Programs of one name share by their time, whatever it costs."""
        return len({column for window in windows for column in window.work.seconds}) > 1

    def row(self, window: Window) -> Row | None:
        """A window in which someone was seen or may have been at work."""
        columns, seconds = window.columns, window.seconds
        if not columns:
            return None
        floor = self.baseline.floor(window.delta, window.usage)
        energy_j = window.work_uj(floor) / UJ_PER_J
        if _shows_step(window, floor):
            return Row((*columns, STEP), (*seconds, window.delta.span_s), energy_j, None, len(columns) + 1)
        return Row(columns, seconds, energy_j, window.covariance_s2, len(window.work.seconds))

    def solver(self, windows: Iterable[Window]) -> Solver:  # noqa: ARG002 - they are all in the evidence
        """The intensities by program, or by measure of activity."""
        return lambda evidence: evidence.solve(of_programs(evidence))

    def floor(self, window: Window, solution: Solution) -> Floor:
        """Idle level and contexts, as the baseline has learned them; else the step that the regression shows."""
        found = self.baseline.floor(window.delta, window.usage)
        if STEP not in solution.place or not _shows_step(window, found):
            return found
        step_uj = round(solution.intensity_w(STEP, 0.0) * window.delta.span_s * UJ_PER_J)
        return replace(found, context_uj=min(step_uj, window.delta.energy_uj - found.idle_uj))


def _shows_step(window: Window, floor: Floor) -> bool:
    """Where activity is measured the contexts' step shows as what is left without any, parked or not."""
    return bool(window.usage.activity) and not floor.context_uj


class Cpu:
    """All energy, on time (static power) and on CPU seconds."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline

    def has_choice(self, windows: Iterable[Window]) -> bool:  # noqa: ARG002 - see below
        """Static power is told from work even where one program works alone."""
        return True

    def row(self, window: Window) -> Row:
        """Each window says something, if only of the static power."""
        delta, columns = window.delta, window.work.seconds
        seconds = (delta.span_s, *columns.values())
        return Row((STATIC, *columns), seconds, delta.energy_uj / UJ_PER_J, None, len(seconds))

    def solver(self, windows: Iterable[Window]) -> Solver:
        """Static power, of which the baseline's word on `windows` is the prior, and the intensities by program."""
        static_j = static_se_j = span_s = 0.0
        for window in windows:
            floor = self.baseline.floor(window.delta, window.usage)
            static_j += floor.idle_uj / UJ_PER_J
            static_se_j += floor.idle_se_uj / UJ_PER_J
            span_s += window.delta.span_s
        if span_s <= 0:
            return lambda _: Solution()
        mean_w = static_j / span_s
        se_w = max(static_se_j / span_s, STATIC_SE * mean_w, LEAST_STATIC_SE_W)
        return lambda evidence: evidence.solve(of_processors(evidence, Prior(mean_w, se_w)), PROCESSOR_ERROR)

    def floor(self, window: Window, solution: Solution) -> Floor:
        """The static power of the solution; without one, what the baseline makes of the window."""
        delta = window.delta
        if STATIC not in solution.place:
            return self.baseline.floor(delta, window.usage)
        static_w = solution.intensity_w(STATIC, 0.0)
        idle_uj = min(delta.energy_uj, round(static_w * delta.span_s * UJ_PER_J))
        return Floor(idle_uj)


PROCESSOR_ERROR = 0.003
"""CPU seconds are exact and RAPL jitters by 0.04 % a second (science of C6): the rest is room for changing clocks."""
STATIC_SE, LEAST_STATIC_SE_W = 0.05, 0.5
"""A static level that was seen on a quiet machine is known so well: share of it, and watts."""
