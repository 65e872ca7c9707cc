"""A scraped page as numbers, and the laws that hold on each page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.parser import text_string_to_metric_families

Key = tuple[str, frozenset[tuple[str, str]]]
"""Name and labels of a series."""
Series = Mapping[Key, float]

DEVICE = "aipower_device_energy_joules_total"
COMPONENT = "aipower_device_component_energy_joules_total"
PROCESS = "aipower_process_energy_joules_total"
FOLDED = "aipower_process_folded_energy_joules_total"
USER = "aipower_user_energy_joules_total"
RUN = "aipower_run_energy_joules_total"
FAULTS = "aipower_agent_faults_total"
UP = "aipower_sensor_up"
AGENT_START = "aipower_agent_start_time_seconds"
COUNTERS_START = "aipower_counters_start_time_seconds"
TICKS = "aipower_agent_ticks_total"
LATE = "aipower_agent_tick_late_seconds_total"
MISSED = "aipower_agent_ticks_missed_total"

WORK = ("context", "active")


def parse(text: str) -> Series:
    """All samples of a page, read by Prometheus' own parser."""
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def uj(value_j: float) -> int:
    """Joules of a page in the whole microjoules that they were made of."""
    return round(value_j * 1e6)


def rows(series: Series, name: str) -> Iterator[tuple[Mapping[str, str], float]]:
    """Labels and values of the metric `name`."""
    return ((dict(labels), value) for (found, labels), value in series.items() if found == name)


def by_device(series: Series, name: str, components: Iterable[str] | None = None) -> dict[str, int]:
    """Microjoules of the metric `name` summed by device; of some components only, where they are named."""
    sums_uj: dict[str, int] = defaultdict(int)
    wanted = None if components is None else set(components)
    for labels, value in rows(series, name):
        if wanted is None or labels["component"] in wanted:
            sums_uj[labels["device"]] += uj(value)
    return sums_uj


def broken_laws(series: Series) -> list[str]:
    """What does not add up on this page; nothing on a page that is right."""
    broken: list[str] = []
    devices, components = by_device(series, DEVICE), by_device(series, COMPONENT)
    work, users, runs = by_device(series, COMPONENT, WORK), by_device(series, USER), by_device(series, RUN)
    for device, whole_uj in devices.items():
        if components[device] != whole_uj:
            broken.append(f"{device}: components {components[device]} uJ, device {whole_uj} uJ")
        if users[device] != work[device]:
            broken.append(f"{device}: users {users[device]} uJ, context and active {work[device]} uJ")
        if runs[device] > work[device]:
            broken.append(f"{device}: runs {runs[device]} uJ, context and active {work[device]} uJ")
    for component in WORK:
        broken += _unlike(series, component)
    return broken


def _unlike(series: Series, component: str) -> Iterator[str]:
    """Devices of which the processes and what was folded are not `component`."""
    whole = by_device(series, COMPONENT, [component])
    processes, folded = by_device(series, PROCESS, [component]), by_device(series, FOLDED, [component])
    for device, whole_uj in whole.items():
        if processes[device] + folded[device] != whole_uj:
            yield f"{device}: processes {processes[device]} + folded {folded[device]} uJ, {component} {whole_uj} uJ"


def fault_count(series: Series, device: str, *reasons: str) -> int:
    """How many faults of `reasons` the device has had."""
    return sum(round(v) for row, v in rows(series, FAULTS) if row["device"] == device and row["reason"] in reasons)


def value(series: Series, name: str) -> float:
    """The only sample of `name`; 0 where there is none."""
    return next((found for _, found in rows(series, name)), 0.0)


def up(series: Series) -> set[str]:
    """The devices that are being read."""
    return {row["device"] for row, value in rows(series, UP) if value == 1}
