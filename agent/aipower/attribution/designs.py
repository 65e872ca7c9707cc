"""What is regressed on what: the difference between a GPU and a processor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from aipower.attribution.baseline import Baseline, Floor
from aipower.attribution.evidence import Evidence, Prior, Solution
from aipower.attribution.priors import of_processors, of_programs
from aipower.attribution.window import Window
from aipower.attribution.work import STATIC, STEP
from aipower.model import UJ_PER_J


class Residual(Struct, frozen=True):
    """What a solution leaves of one window."""

    energy_j: float
    sampling_j2: float
    """Its variance for the samples' sake."""


class Design(Protocol):
    """How the windows of one kind of device are put into a regression."""

    @property
    def baseline(self) -> Baseline:
        """What is learned of the device without work."""
        ...

    def anew(self) -> Design:
        """The same baseline, and nothing else remembered."""
        ...

    def has_choice(self, windows: Iterable[Window]) -> bool:
        """True where intensities make a difference to the split of `windows`."""
        ...

    def add(self, evidence: Evidence, window: Window, weight: float) -> None:
        """Take a window into the evidence."""
        ...

    def solve(self, evidence: Evidence) -> Solution:
        """The intensities that the evidence shows."""
        ...

    def floor(self, window: Window, solution: Solution) -> Floor:
        """What of the window is no work."""
        ...

    def residual(self, window: Window, solution: Solution) -> Residual | None:
        """What the solution leaves of a window's energy; None where it says nothing of the window."""
        ...


def residual(seconds: Mapping[str, float], energy_j: float, window: Window, solution: Solution) -> Residual | None:
    """The rest of `energy_j` beyond what the columns' seconds explain, and what of it sampling may explain."""
    if not seconds or any(column not in solution.place for column in seconds):
        return None
    expected_j = sum(solution.intensity_w(column, 0.0) * value for column, value in seconds.items())
    sampling_j2 = sum(
        solution.intensity_w(one, 0.0) * solution.intensity_w(other, 0.0) * value
        for (one, other), value in window.covariance_s2.items()
    )
    return Residual(energy_j - expected_j, max(0.0, sampling_j2))


class Gpu:
    """Work above the idle level and the contexts, on busy time."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline

    def anew(self) -> Gpu:
        """Another one with the same baseline."""
        return Gpu(self.baseline)

    def has_choice(self, windows: Iterable[Window]) -> bool:
        """Programs of one name share by their time, whatever it costs."""
        return len({column for window in windows for column in window.work.seconds}) > 1

    def add(self, evidence: Evidence, window: Window, weight: float) -> None:
        """Take in a window in which someone was seen or may have been at work."""
        seconds = window.work.seconds
        if not (seconds or window.covariance_s2):
            return
        columns = {column: 0.0 for column, _ in window.covariance_s2}
        evidence.add({**columns, **self._seconds(window)}, self._energy_j(window), window.covariance_s2, weight)

    def solve(self, evidence: Evidence) -> Solution:
        """The intensities by program, or by measure of activity."""
        return evidence.solve(of_programs(evidence))

    def residual(self, window: Window, solution: Solution) -> Residual | None:
        """Of the energy of work."""
        return residual(self._seconds(window), self._energy_j(window), window, solution)

    def floor(self, window: Window, solution: Solution) -> Floor:
        """Idle level and contexts, as the baseline has learned them; else the step that the regression shows."""
        found = self.baseline.floor(window.delta, window.usage)
        if STEP not in self._seconds(window) or STEP not in solution.place:
            return found
        step_uj = round(solution.intensity_w(STEP, 0.0) * window.delta.span_s * UJ_PER_J)
        return replace(found, context_uj=min(step_uj, window.delta.energy_uj - found.idle_uj))

    def _energy_j(self, window: Window) -> float:
        return window.work_uj(self.baseline.floor(window.delta, window.usage)) / UJ_PER_J

    def _seconds(self, window: Window) -> Mapping[str, float]:
        """Where activity is measured the contexts' step shows as what is left without any, parked or not."""
        seconds = window.work.seconds
        usage = window.usage
        if not usage.activity or self.baseline.floor(window.delta, usage).context_uj:
            return seconds
        return {**seconds, STEP: window.delta.span_s}


class Cpu:
    """All energy, on time (static power) and on CPU seconds."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self._static_j = self._static_se_j = self._span_s = 0.0

    def anew(self) -> Cpu:
        """Another one with the same baseline."""
        return Cpu(self.baseline)

    def has_choice(self, windows: Iterable[Window]) -> bool:  # noqa: ARG002 - see below
        """Static power is told from work even where one program works alone."""
        return True

    def add(self, evidence: Evidence, window: Window, weight: float) -> None:
        """Take in a window, and what the baseline makes of its static part."""
        delta = window.delta
        floor = self.baseline.floor(delta, window.usage)
        self._static_j += floor.idle_uj / UJ_PER_J
        self._static_se_j += floor.idle_se_uj / UJ_PER_J
        self._span_s += delta.span_s
        evidence.add({STATIC: delta.span_s, **window.work.seconds}, delta.energy_uj / UJ_PER_J, {}, weight)

    def solve(self, evidence: Evidence) -> Solution:
        """Static power and the intensities by program."""
        if self._span_s <= 0:
            return Solution()
        mean_w = self._static_j / self._span_s
        se_w = max(self._static_se_j / self._span_s, STATIC_SE * mean_w, LEAST_STATIC_SE_W)
        return evidence.solve(of_processors(evidence, Prior(mean_w, se_w)), PROCESSOR_ERROR)

    def residual(self, window: Window, solution: Solution) -> Residual | None:
        """Of all energy."""
        seconds = {STATIC: window.delta.span_s, **window.work.seconds}
        return residual(seconds, window.delta.energy_uj / UJ_PER_J, window, solution)

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
