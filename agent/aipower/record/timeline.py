"""The power of each device over a run, in a bounded number of equal steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aipower.model import UJ_PER_J, Attribution, EnergyDelta
from aipower.runrecord import PowerSeries

FIRST_STEP_S = 0.1
"""The counters of most GPUs move so often; processors over less are mostly jitter (science of C6)."""
MAX_STEPS = 600
"""More are no use on a screen; where there would be more, each two become one."""
SEEN = 0.5
"""A step of which less is known has no power."""


class _Row:
    """One device."""

    def __init__(self) -> None:
        self.energy_uj: list[float] = []
        self.known_s: list[float] = []
        self.own_uj: list[float] = []

    def grow(self, steps: int) -> None:
        for values in (self.energy_uj, self.known_s, self.own_uj):
            values.extend([0.0] * (steps - len(values)))

    def halve(self) -> None:
        self.energy_uj, self.known_s, self.own_uj = map(_pairs, (self.energy_uj, self.known_s, self.own_uj))


class Timeline:
    """Feeds on windows and on their attributions; a window is taken before it is attributed."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        self._started_s = 0.0
        self.step_s = FIRST_STEP_S

    def start(self, at_s: float) -> None:
        """The run has begun."""
        self._started_s = at_s

    def taken(self, window: EnergyDelta, pieces: Sequence[EnergyDelta]) -> None:
        """The energy of a device is known for a window, and how it was spread over its pieces."""
        raw_uj, span_all_s = sum(piece.energy_uj for piece in pieces), sum(piece.span_s for piece in pieces)
        scale = window.energy_uj / raw_uj if raw_uj else 0.0
        flat_uj_per_s = 0.0 if raw_uj or not pieces else window.energy_uj / span_all_s
        self._make_room(window.end_s)
        row = self._rows.setdefault(window.device.id, _Row())
        row.grow(self._place(window.end_s) + 1)
        for piece in pieces:
            for place, span_s in self._steps(piece.start_s, piece.end_s):
                row.energy_uj[place] += (scale * piece.energy_uj / piece.span_s + flat_uj_per_s) * span_s
                row.known_s[place] += span_s

    def posted(self, attribution: Attribution, own_uj: int) -> None:
        """The run has used `own_uj` of a window: more where the device drew more than at rest."""
        row = self._rows.get(attribution.delta.device.id)
        if row is None or not own_uj:
            return
        delta = attribution.delta
        idle_w = attribution.idle_uj / delta.span_s
        steps = [
            (place, span_s) for place, span_s in self._steps(delta.start_s, delta.end_s) if row.known_s[place] > 0
        ]
        work = [span_s * max(0.0, row.energy_uj[place] / row.known_s[place] - idle_w) for place, span_s in steps]
        if sum(work) <= 0:
            work = [span_s for _, span_s in steps]
        total = sum(work)
        for (place, _), part in zip(steps, work, strict=True):
            row.own_uj[place] += own_uj * part / total

    def series(self) -> list[PowerSeries]:
        """What the record keeps."""
        return [self._series(device, row) for device, row in self._rows.items()]

    def totals_j(self) -> dict[str, float]:
        """The energy of each device so far."""
        return {device: sum(row.energy_uj) / UJ_PER_J for device, row in self._rows.items()}

    def _series(self, device: str, row: _Row) -> PowerSeries:
        known = [known_s >= SEEN * self.step_s for known_s in row.known_s[:-1]]
        known.extend(known_s > 0 for known_s in row.known_s[-1:])  # the last step ends with the run
        return PowerSeries(device, self.step_s, _watts(row.energy_uj, row, known), _watts(row.own_uj, row, known))

    def _make_room(self, until_s: float) -> None:
        while self._place(until_s) >= MAX_STEPS:
            self.step_s *= 2
            for row in self._rows.values():
                row.halve()

    def _place(self, at_s: float) -> int:
        return max(0, int((at_s - self._started_s) / self.step_s))

    def _steps(self, start_s: float, end_s: float) -> Iterator[tuple[int, float]]:
        """The steps from `start_s` to `end_s`, with how many seconds of each."""
        at_s = max(start_s, self._started_s)
        place = self._place(at_s)
        while at_s < end_s:
            until_s = min(end_s, self._started_s + (place + 1) * self.step_s)
            if until_s > at_s:
                yield place, until_s - at_s
                at_s = until_s
            place += 1


def _watts(energies_uj: Sequence[float], row: _Row, known: Sequence[bool]) -> list[float | None]:
    watts = [
        round(energy_uj / UJ_PER_J / known_s, 3) if is_known else None
        for energy_uj, known_s, is_known in zip(energies_uj, row.known_s, known, strict=True)
    ]
    if len(watts) > 1 and known[-1] and known[-2] and row.known_s[-1] < SEEN * row.known_s[-2]:
        # Over so short a time the error of the end is all that a power shows.
        both_uj, both_s = sum(energies_uj[-2:]), sum(row.known_s[-2:])
        watts[-2:] = [round(both_uj / UJ_PER_J / both_s, 3)] * 2
    return watts


def _pairs(values: Sequence[float]) -> list[float]:
    odd = [*values, 0.0] if len(values) % 2 else values
    return [one + other for one, other in zip(odd[::2], odd[1::2], strict=True)]
