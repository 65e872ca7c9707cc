"""The course of a series: idle power -> for each run: prepare, cool down, run -> the end, whatever brought it."""

from __future__ import annotations

import math

from msgspec import Struct, field

from aipower.run.console import say
from aipower.run.repeat.children import Children
from aipower.run.repeat.cooldown import Waited
from aipower.run.repeat.figures import Figure, figure_of
from aipower.run.repeat.options import SeriesOptions
from aipower.run.repeat.play import Play, worked
from aipower.run.repeat.progress import Progress
from aipower.run.repeat.rest import Pauses
from aipower.run.repeat.single import Place, SeriesError, Singles
from aipower.run.repeat.wording import bar_line, run_line
from aipower.run.supervise import SHELL_SIGNAL_BASE
from aipower.seams import Clock


class Series(Struct):
    """Runs them all. Afterwards `plays` and `ending` tell what became of it."""

    options: SeriesOptions
    series_id: str
    children: Children
    singles: Singles
    pauses: Pauses
    progress: Progress
    clock: Clock
    plays: list[Play] = field(default_factory=list)
    _began_s: float = math.nan
    """When the run that is going, or the last one, began."""
    _cycles_s: list[float] = field(default_factory=list)
    """How long each run took, with all that came before it."""

    def run(self) -> int:
        """The exit code: 0, that of the run which has ended the series, or 128 + the signal that has.

        Raises:
            SeriesError: It cannot go on; the plays so far are there.
        """
        if self.options.runs > 1 or self.options.prepare is not None:
            self.pauses.learn()
        for number in range(self.options.runs):
            if asked := self.children.asked_by_now():
                return SHELL_SIGNAL_BASE + asked
            play = self._next(number)
            if play is None:
                continue
            self.plays.append(play)
            self._tell(number, play)
            if asked := self.children.asked_by_now():
                return play.exit_code or SHELL_SIGNAL_BASE + asked
            if play.exit_code and not self.options.keep_going:
                return play.exit_code
        return SHELL_SIGNAL_BASE + self.children.asked if self.children.asked else 0

    def _next(self, number: int) -> Play | None:
        """The next run; None where we have been asked to end before it gave a record."""
        began_s = self.clock.monotonic_s()
        place = Place(self.series_id, max(0, number + 1 - self.options.warmup), self.options.repetitions)
        self.singles.prepare(lambda: None)
        waited = self._cool(number)
        if self.children.asked_by_now():
            return None
        self.progress.clear()
        self._began_s = self.clock.monotonic_s()
        try:
            code, record = self.singles.run(place, lambda: self._draw(number))
        except SeriesError:
            if self.children.asked:
                return None
            raise
        self._cycles_s.append(self.clock.monotonic_s() - began_s)
        return Play(place.index, code, record, waited.warm, cut=bool(self.children.asked_by_now()))

    def _cool(self, number: int) -> Waited:
        """Nothing has warmed the devices before the first run, unless it was prepared."""
        if number == 0 and self.options.prepare is None:
            return Waited(0.0, {})
        watched = worked(self.plays[-1].record) if self.plays else None
        return self.pauses.cool(watched)

    def _tell(self, number: int, play: Play) -> None:
        self.progress.line(run_line(play, self._place(number), self.figure(), self._left_s(number + 1)))
        if self.options.verbose and not self.options.quiet:
            from aipower.record.report import render  # noqa: PLC0415 - hardly ever needed

            say(render(play.record, verbose=True))
        if play.exit_code:
            say(self.singles.said())

    def _draw(self, number: int) -> None:
        """The bar, with the part of the run that should be over by now."""
        cycle_s = self._cycle_s()
        spent_s = self.clock.monotonic_s() - self._began_s
        part = min(0.99, spent_s / cycle_s) if cycle_s else 0.0
        done = (number + part) / self.options.runs
        left_s = self._left_s(number)
        left_s = max(0.0, left_s - spent_s) if left_s else None

        def text(width: int, blocks: str) -> str:
            return bar_line(self._place(number), done, self.figure(), left_s, width, blocks)

        self.progress.bar(text)

    def figure(self) -> Figure | None:
        """The total energy of the repetitions so far."""
        totals_j = [play.record.energy_j.total for play in self.plays if play.counts]
        return figure_of([energy_j for energy_j in totals_j if energy_j is not None])

    def _place(self, number: int) -> str:
        warmup = self.options.warmup
        if number < warmup:
            return f"warm-up {number + 1}/{warmup}"
        return f"{number + 1 - warmup}/{self.options.repetitions}"

    def _left_s(self, done: int) -> float | None:
        """How long the rest will take, as the runs so far did; None before the first, and after the last."""
        cycle_s = self._cycle_s()
        left = self.options.runs - done
        return left * cycle_s if cycle_s and left else None

    def _cycle_s(self) -> float | None:
        return sum(self._cycles_s) / len(self._cycles_s) if self._cycles_s else None
