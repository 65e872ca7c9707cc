"""What a snapshot says, as samples of the table of metrics: base units, clean labels, no series twice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from aipower.model import (
    SUMMED_KINDS,
    UJ_PER_J,
    Device,
    DeviceState,
    FoldedEnergy,
    JournalState,
    OwnEnergy,
    ProcessEnergy,
    RunEnergy,
    SinkState,
    Snapshot,
    UserEnergy,
)
from aipower_exporters import metrics
from aipower_exporters.jobs import job_samples
from aipower_exporters.metrics import METRICS, Metric, Sample

MAX_LABEL_CHARS = 128
"""Longer label values are cut: a comm has 15 bytes, but the name of a run is whatever its owner typed."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

Series = Mapping[tuple[str, ...], float]
"""The values of one metric by its label values."""


def collect(snapshot: Snapshot) -> Mapping[Metric, Series]:
    """All series of `snapshot`, in the order of the table; metrics without series are left out."""
    table = _merged(samples(snapshot))
    return {metric: series for metric, series in table.items() if series}


def label_value(text: str) -> str:
    """`text` without anything that could break a line, a parser or a terminal, cut to `MAX_LABEL_CHARS`."""
    if len(text) > MAX_LABEL_CHARS:
        text = text[: MAX_LABEL_CHARS - 1] + "…"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else REPLACEMENT for char in text)


def samples(snapshot: Snapshot) -> Iterator[Sample]:
    """Everything that `snapshot` says, as samples with raw label values, in base units."""
    for device in snapshot.devices:
        yield from _device_samples(device)
    for process in snapshot.processes:
        yield from _process_samples(process)
    for folded in snapshot.folded:
        yield from _folded_samples(folded)
    for run in snapshot.runs:
        yield _run_sample(run)
    for user in snapshot.users:
        yield _user_sample(user)
    yield from job_samples(snapshot)
    yield from _agent_samples(snapshot)
    if snapshot.journal is not None:
        yield from _journal_samples(snapshot.journal)
    for missing in snapshot.unavailable:
        yield metrics.SOURCE_MISSING, (missing.source, missing.kind), 1.0
    for sink in snapshot.sinks:
        yield from _sink_samples(sink)


def _device_samples(state: DeviceState) -> Iterator[Sample]:
    labels = _device_labels(state.device)
    if state.up and state.power_w is not None and math.isfinite(state.power_w):
        yield metrics.DEVICE_POWER, labels, state.power_w
    yield metrics.DEVICE_ENERGY, labels, _joules(state.energy_uj)
    for component, energy_uj in (
        ("idle", state.idle_uj),
        ("context", state.context_uj),
        ("active", state.active_uj),
        ("unattributed", state.unattributed_uj),
    ):
        yield metrics.DEVICE_COMPONENT_ENERGY, (*labels, component), _joules(energy_uj)
    yield metrics.SENSOR_UP, labels, float(state.up)
    if state.power_limit_w is not None:
        yield metrics.POWER_LIMIT, labels, state.power_limit_w
    facts = state.facts
    yield metrics.DEVICE_INFO, (*labels, state.device.name, facts.uuid, facts.driver, facts.method), 1.0


def _process_samples(process: ProcessEnergy) -> Iterator[Sample]:
    info = process.info
    who = ("", "other", "") if info is None else (str(info.id.pid), info.comm, info.user)
    labels = (*who, process.run, *_device_labels(process.device))
    # A CPU has no contexts: a series that stays 0 for ever would only cost the scraper memory.
    if process.context_uj:
        yield metrics.PROCESS_ENERGY, (*labels, "context"), _joules(process.context_uj)
    yield metrics.PROCESS_ENERGY, (*labels, "active"), _joules(process.active_uj)
    yield metrics.PROCESS_ENERGY_ERROR, labels, process.error_uj / UJ_PER_J


def _folded_samples(folded: FoldedEnergy) -> Iterator[Sample]:
    labels = _device_labels(folded.device)
    yield metrics.PROCESS_FOLDED, (*labels, "context"), _joules(folded.context_uj)
    yield metrics.PROCESS_FOLDED, (*labels, "active"), _joules(folded.active_uj)


def _run_sample(run: RunEnergy) -> Sample:
    labels = (run.run, run.name, run.user, *_device_labels(run.device))
    return metrics.RUN_ENERGY, labels, _joules(run.energy_uj)


def _user_sample(user: UserEnergy) -> Sample:
    return metrics.USER_ENERGY, (user.user, *_device_labels(user.device)), _joules(user.energy_uj)


def _agent_samples(snapshot: Snapshot) -> Iterator[Sample]:
    agent = snapshot.agent
    yield metrics.BUILD_INFO, (snapshot.version,), 1.0
    yield metrics.AGENT_CPU, (), agent.cpu_s
    yield metrics.AGENT_MEMORY, (), float(agent.resident_bytes)
    yield from _own_samples(snapshot.own)
    yield metrics.AGENT_TICKS, (), float(agent.ticks)
    yield metrics.AGENT_TICK_TIME, (), agent.tick_s
    yield metrics.AGENT_TICK_LATE, (), agent.late_s
    yield metrics.AGENT_TICKS_MISSED, (), float(agent.missed_ticks)
    for (device, reason), count in sorted(snapshot.fault_counts.items()):
        yield metrics.AGENT_FAULTS, (device, reason), float(count)
    yield metrics.AGENT_FOLDED, (), float(agent.folded_series)
    if agent.started_unix_s is not None:
        yield metrics.AGENT_START, (), agent.started_unix_s
    for metric, count in (
        (metrics.AGENT_DESCRIPTORS, agent.open_descriptors),
        (metrics.AGENT_THREADS, agent.threads),
        (metrics.AGENT_SWITCHES, agent.context_switches),
    ):
        # A process has at least one of each; 0 is what nobody has counted.
        if count:
            yield metric, (), float(count)
    if snapshot.since_unix_s is not None:
        yield metrics.COUNTERS_START, (), snapshot.since_unix_s


def _own_samples(rows: Sequence[OwnEnergy]) -> Iterator[Sample]:
    """Nothing where no processor is measured: that the agent used none of a GPU says nothing of its cost."""
    used = [row for row in rows if row.energy_uj]
    for row in used:
        yield metrics.AGENT_ENERGY, _device_labels(row.device), _joules(row.energy_uj)
    own_uj = sum(row.energy_uj for row in used if row.device.kind in SUMMED_KINDS)
    whole_uj = sum(row.whole_uj for row in rows if row.device.kind in SUMMED_KINDS)
    if own_uj and whole_uj:
        yield metrics.AGENT_ENERGY_SHARE, (), own_uj / whole_uj


def _journal_samples(journal: JournalState) -> Iterator[Sample]:
    yield metrics.JOURNAL_UP, (), float(journal.up)
    if journal.written_unix_s is not None:
        yield metrics.JOURNAL_WRITTEN, (), journal.written_unix_s
    yield metrics.JOURNAL_FLUSHES, (), float(journal.flushes)
    yield metrics.JOURNAL_FLUSH_TIME, (), journal.flush_s
    yield metrics.JOURNAL_SIZE, (), float(journal.size_bytes)


def _sink_samples(sink: SinkState) -> Iterator[Sample]:
    labels = (sink.name,)
    yield metrics.SINK_UP, labels, float(sink.up)
    yield metrics.SINK_PUSHES, labels, float(sink.pushes)
    yield metrics.SINK_SKIPPED, labels, float(sink.skipped)
    yield metrics.SINK_TIME, labels, sink.push_s
    for reason, count in sorted(sink.faults.items()):
        yield metrics.SINK_FAULTS, (sink.name, reason), float(count)
    if sink.pushed_unix_s is not None:
        yield metrics.SINK_PUSHED, labels, sink.pushed_unix_s


def _device_labels(device: Device) -> tuple[str, str, str]:
    return device.id, device.kind, device.index


def _joules(energy_uj: int) -> float:
    return energy_uj / UJ_PER_J


class CleanLabels(dict[str, str]):
    """`label_value` of each text, worked out once: of 8000 values on a page a few hundred differ."""

    def __missing__(self, text: str) -> str:
        value = self[text] = label_value(text)
        return value


def _merged(found: Iterable[Sample]) -> dict[Metric, dict[tuple[str, ...], float]]:
    """Values by metric and clean labels: one series each, as a scrape with a series twice is refused.

    Two accounts meet in one series where cleaning made two names equal. Their energies add up, so that the
    parts still sum to the whole.
    """
    clean = CleanLabels()
    table: dict[Metric, dict[tuple[str, ...], float]] = {metric: {} for metric in METRICS}
    for metric, raw_labels, value in found:
        labels = tuple([clean[text] for text in raw_labels])
        values = table[metric]
        values[labels] = joined(metric, values[labels], value) if labels in values else value
    return table


def joined(metric: Metric, first: float, second: float) -> float:
    """The value of a series in which two samples meet."""
    if metric is metrics.SENSOR_UP or metric.type == "info":
        return min(first, second)
    return first + second
