"""Cuts of windows that wait to be attributed, an hour of them perhaps, in little memory."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Mapping

from aipower.record.phases.cut import Cut
from aipower.record.phases.teller import Path

MOST_NUMBERS = 1_500_000
"""Of 4 bytes each, for one device. Where there are more, windows are kept for `always` alone."""
MOST_LAYOUTS = 20_000
NUMBERS = 5
"""Of one cut."""

Slices = Mapping[int, Mapping[Path, Cut]]
"""Cuts of a window, by the process that told of the phases."""
Layout = tuple[tuple[int, tuple[Path, ...]], ...]
"""Whose cuts, and of which phases: the same for most windows."""


class Kept:
    """The windows of one device, by their start. `always` is who is kept in any case."""

    def __init__(self, always: int) -> None:
        self._always = always
        self._windows: dict[float, tuple[Layout, array[float]]] = {}
        self._layouts: dict[Layout, Layout] = {}
        self.numbers = 0

    def put(self, start_s: float, slices: Slices) -> None:
        """Keep a window."""
        kept = slices if self.numbers < MOST_NUMBERS else {self._always: slices.get(self._always, {})}
        layout = tuple((teller, tuple(cuts)) for teller, cuts in kept.items())
        if len(self._layouts) < MOST_LAYOUTS:
            layout = self._layouts.setdefault(layout, layout)
        numbers = array("f")
        for one in itertools.chain.from_iterable(cuts.values() for cuts in kept.values()):
            numbers.extend((one.energy_uj, one.time_s, one.variance_uj2, one.systematic_uj, one.blurred_s))
        self.numbers += len(numbers)
        self._windows[start_s] = (layout, numbers)

    def take(self, start_s: float) -> Slices:
        """What was kept of a window, for the last time; nothing where it is not known."""
        layout, numbers = self._windows.pop(start_s, ((), array("f")))
        self.numbers -= len(numbers)
        cuts = (Cut(*numbers[at : at + NUMBERS]) for at in range(0, len(numbers), NUMBERS))
        return {teller: {path: next(cuts) for path in paths} for teller, paths in layout}
