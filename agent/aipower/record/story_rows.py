"""Rows of the report about how a run went: power over time, phases, work and figures of merit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aipower.record.page import LABEL_WIDTH, Page, Row
from aipower.record.plot import plot
from aipower.record.wording import bracket, duration, joules, short
from aipower.runrecord import DeviceRecord, PerUnit, PhaseRecord, PowerSeries, RunRecord

SHOWN_PLOTS = 4
SHOWN_PHASES = 6
LEAST_STEPS = 8
"""A plot of fewer says nothing."""
MOST_PLOT = 60
SCALE_WIDTH = 26
"""Room for the name of the device and its highest power beside a plot."""
MOST_DIGITS = 6


def power_rows(
    record: RunRecord, used: Sequence[DeviceRecord], labels: Mapping[str, str], page: Page
) -> Iterable[Row]:
    """A plot for each device that matters: those that drew most, where there are many."""
    shown = {device.device: device for device in used}
    series = [one for one in record.power if one.device in shown and len(one.power_w) >= LEAST_STEPS]
    series.sort(key=lambda one: shown[one.device].energy_j or 0.0, reverse=True)
    for at, one in enumerate(series[:SHOWN_PLOTS]):
        yield Row(
            "power" if at == 0 else "", _plotted(one, labels.get(one.device, one.device), page), "dim", solid=True
        )
    if len(series) > SHOWN_PLOTS:
        yield Row("", f"and {len(series) - SHOWN_PLOTS} more devices", "dim")


def _plotted(series: PowerSeries, label: str, page: Page) -> str:
    room = page.width - LABEL_WIDTH - 2 - SCALE_WIDTH if page.width else MOST_PLOT
    drawn = plot(series.power_w, min(MOST_PLOT, max(1, room)), glyphs=page.glyphs)
    highest_w = max((value_w for value_w in series.power_w if value_w is not None), default=0.0)
    return f"{drawn}  {short(label, 14)} 0..{highest_w:.0f} W"


def phase_rows(record: RunRecord, page: Page) -> Iterable[Row]:
    """The phases that used most, by the order in which they came, and what was outside of all."""
    inner = [phase for phase in record.phases if phase.path]
    ranked = sorted(inner, key=_energy_j, reverse=True)
    kept = {id(phase) for phase in (ranked if page.verbose else ranked[:SHOWN_PHASES])}
    shown = [phase for phase in inner if id(phase) in kept]
    for at, phase in enumerate(shown):
        yield Row("phase" if at == 0 else "", _phase(phase))
    if len(inner) > len(shown):
        yield Row("", f"and {len(inner) - len(shown)} more phases; -v shows all", "dim")
    for phase in record.phases:
        if not phase.path and _energy_j(phase) > 0:
            yield Row("", f"{joules(_energy_j(phase)):>9}  outside of all phases, {duration(phase.wall_s)}", "dim")


def _energy_j(phase: PhaseRecord) -> float:
    return phase.energy_j.total or 0.0


def _phase(phase: PhaseRecord) -> str:
    name = short(f"{'  ' * (len(phase.path) - 1)}{phase.path[-1]}", 28)
    if phase.energy_j.total is None:
        return f"{'?':>9}  {name}: {_times(phase)}"
    figures = f"{joules(phase.energy_j.total):>9}  {name}  {bracket(phase.interval_j.total)}  {_times(phase)}"
    unsure = "" if phase.resolved else ", too fast for the sensors: by time alone"
    return f"{figures}{unsure}{_work(phase)}"


def _times(phase: PhaseRecord) -> str:
    times = f"{phase.count} times, " if phase.count != 1 else ""
    return f"{times}{duration(phase.wall_s)}"


def _work(phase: PhaseRecord) -> str:
    total_j = phase.energy_j.total or 0.0
    return "".join(
        f", {joules(total_j / amount)}/{unit_of(unit)}" for unit, amount in phase.work.items() if amount > 0
    )


def work_rows(record: RunRecord) -> Iterable[Row]:
    """Energy per unit of work, and the figures of merit that the run carries."""
    for at, one in enumerate(record.per):
        yield Row("per unit" if at == 0 else "", _per(one), "strong" if at == 0 else "plain")
    if record.metrics:
        told = ", ".join(f"{short(name, 40)} {value:.{MOST_DIGITS}g}" for name, value in record.metrics.items())
        yield Row("results", told)


def _per(one: PerUnit) -> str:
    unit = unit_of(one.unit)
    return (
        f"{joules(one.energy_j)}/{unit}  {bracket(one.interval_j)}  {one.amount:.{MOST_DIGITS}g} {short(one.unit, 40)}"
    )


def unit_of(units: str) -> str:
    """One of `units`: `token` of `tokens`."""
    shown = short(units, 40)
    return shown[:-1] if shown.endswith("s") and not shown.endswith("ss") else shown
