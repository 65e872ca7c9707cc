"""The one table of metrics: every name, unit, type, help text and label that aipower exports."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

MetricType = Literal["counter", "gauge", "info"]
"""`info` is a gauge that is always 1 in the text format, and a type of its own in OpenMetrics."""


class Metric(Struct, frozen=True, cache_hash=True, gc=False):
    """One family of series."""

    name: str
    """As it is written in a query: counters end in `_total`, infos in `_info`."""
    unit: str
    """A base unit that is part of the name, or empty."""
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()


Sample = tuple[Metric, tuple[str, ...], float]
"""A metric, its label values in the order of its row of the table, and the value."""

DEVICE_LABELS = ("device", "kind", "index")
JOB_LABELS = ("system", "job", "step", "user", *DEVICE_LABELS)
PROCESS_LABELS = ("pid", "comm", "user", "run", *DEVICE_LABELS)

DEVICE_POWER = Metric(
    "aipower_device_power_watts",
    "watts",
    "gauge",
    "Power that the device draws now; absent while its sensor fails.",
    DEVICE_LABELS,
)
DEVICE_ENERGY = Metric(
    "aipower_device_energy_joules_total",
    "joules",
    "counter",
    "Energy that the device used since counting began; it goes on over restarts.",
    DEVICE_LABELS,
)
DEVICE_COMPONENT_ENERGY = Metric(
    "aipower_device_component_energy_joules_total",
    "joules",
    "counter",
    "Where the energy of the device went; the components sum to aipower_device_energy_joules_total.",
    (*DEVICE_LABELS, "component"),
)
PROCESS_ENERGY = Metric(
    "aipower_process_energy_joules_total",
    "joules",
    "counter",
    "Energy of the device that the process used; comm=other without a pid is the work of those without own series.",
    (*PROCESS_LABELS, "component"),
)
PROCESS_FOLDED = Metric(
    "aipower_process_folded_energy_joules_total",
    "joules",
    "counter",
    "Past energy of processes whose series have left; jumps when series leave, so it is for sums, not for rates.",
    (*DEVICE_LABELS, "component"),
)
PROCESS_ENERGY_ERROR = Metric(
    "aipower_process_energy_error_joules",
    "joules",
    "gauge",
    "Half-width of the 95 % interval of the energy of the process, all components together.",
    PROCESS_LABELS,
)
RUN_ENERGY = Metric(
    "aipower_run_energy_joules_total",
    "joules",
    "counter",
    "Energy of the device that the processes of the run used.",
    ("run", "name", "user", *DEVICE_LABELS),
)
USER_ENERGY = Metric(
    "aipower_user_energy_joules_total",
    "joules",
    "counter",
    "Energy of the device that all processes of the user used, those without own series too.",
    ("user", *DEVICE_LABELS),
)
JOB_ENERGY = Metric(
    "aipower_job_energy_joules_total",
    "joules",
    "counter",
    "Energy of the device by job; system=none is what is in no job or unattributed, system=idle the idle energy.",
    JOB_LABELS,
)
JOB_FOLDED = Metric(
    "aipower_job_folded_energy_joules_total",
    "joules",
    "counter",
    "Past energy of jobs whose series have left; jumps when series leave, so it is for sums, not for rates.",
    DEVICE_LABELS,
)
JOB_ENERGY_ERROR = Metric(
    "aipower_job_energy_error_joules",
    "joules",
    "gauge",
    "Half-width of the 95 % interval of the energy of the job.",
    JOB_LABELS,
)
JOB_HELD = Metric(
    "aipower_job_held_seconds_total",
    "seconds",
    "counter",
    "Time for which the job held the GPU: it was given to it, or a process of it had a context open.",
    JOB_LABELS,
)
JOB_UNUSED = Metric(
    "aipower_job_unused_seconds_total",
    "seconds",
    "counter",
    "Time for which the job held the GPU while no process of it was seen at work there.",
    JOB_LABELS,
)
JOB_INFO = Metric(
    "aipower_job_info",
    "",
    "info",
    "What the job says of itself: names from SLURM_* and AIPOWER_* variables of its processes.",
    ("system", "job", "name", "team", "account", "partition", "namespace", "pod"),
)
PROCESS_INFO = Metric(
    "aipower_process_info",
    "",
    "info",
    "Where the process belongs: its job, step, container, and systemd's unit and slice.",
    ("pid", "comm", "user", "run", "system", "job", "step", "container", "unit", "slice"),
)
SENSOR_UP = Metric(
    "aipower_sensor_up",
    "",
    "gauge",
    "1 while the sensor of the device can be read, 0 while it fails.",
    DEVICE_LABELS,
)
POWER_LIMIT = Metric(
    "aipower_device_power_limit_watts",
    "watts",
    "gauge",
    "The most that the device may draw; absent where it does not say.",
    DEVICE_LABELS,
)
SOURCE_MISSING = Metric(
    "aipower_source_missing",
    "",
    "gauge",
    "1 for each source of measurements that this machine has not, or that the agent may not read.",
    ("source", "kind"),
)
DEVICE_INFO = Metric(
    "aipower_device_info",
    "",
    "info",
    "What never changes about the device; method says how its energy is measured.",
    (*DEVICE_LABELS, "name", "uuid", "driver", "method"),
)
BUILD_INFO = Metric("aipower_build_info", "", "info", "The version of the agent.", ("version",))
AGENT_CPU = Metric("aipower_agent_cpu_seconds_total", "seconds", "counter", "CPU time that the agent itself used.")
AGENT_MEMORY = Metric("aipower_agent_resident_memory_bytes", "bytes", "gauge", "Resident memory of the agent itself.")
AGENT_ENERGY = Metric(
    "aipower_agent_energy_joules_total",
    "joules",
    "counter",
    "Energy of the device that the agent itself used since it started; it is part of that of the processes.",
    DEVICE_LABELS,
)
AGENT_ENERGY_SHARE = Metric(
    "aipower_agent_energy_share_ratio",
    "ratio",
    "gauge",
    "Share of the energy of all GPUs, processors and memories that the agent itself used, since it started.",
)
AGENT_TICKS = Metric("aipower_agent_ticks_total", "", "counter", "Times that the sensors were read.")
AGENT_TICK_TIME = Metric(
    "aipower_agent_tick_seconds_total", "seconds", "counter", "Time spent in reading and accounting."
)
AGENT_TICK_LATE = Metric(
    "aipower_agent_tick_late_seconds_total", "seconds", "counter", "How late the readings began, summed."
)
AGENT_TICKS_MISSED = Metric(
    "aipower_agent_ticks_missed_total",
    "",
    "counter",
    "Readings left out as the one before took too long.",
)
AGENT_FAULTS = Metric(
    "aipower_agent_faults_total",
    "",
    "counter",
    "Things that went wrong with a device; device is empty where it concerns none.",
    ("device", "reason"),
)
AGENT_FOLDED = Metric("aipower_agent_folded_series_total", "", "counter", "Process series that have left the page.")
AGENT_START = Metric(
    "aipower_agent_start_time_seconds",
    "seconds",
    "gauge",
    "When the agent started, in seconds since 1970; its own counters began at 0 then.",
)
AGENT_DESCRIPTORS = Metric("aipower_agent_open_fds", "", "gauge", "File descriptors that the agent has open.")
AGENT_THREADS = Metric("aipower_agent_threads", "", "gauge", "Threads of the agent.")
AGENT_SWITCHES = Metric(
    "aipower_agent_context_switches_total", "", "counter", "Times that the agent was given or lost a processor."
)
COUNTERS_START = Metric(
    "aipower_counters_start_time_seconds",
    "seconds",
    "gauge",
    "When counting began, in seconds since 1970; it changes where the counters of before are lost.",
)
JOURNAL_UP = Metric(
    "aipower_agent_journal_up",
    "",
    "gauge",
    "1 while the counters can be written to the disk, 0 while they would not survive; absent without a journal.",
)
JOURNAL_WRITTEN = Metric(
    "aipower_agent_journal_written_timestamp_seconds",
    "seconds",
    "gauge",
    "When the counters that are on the disk were taken, in seconds since 1970.",
)
JOURNAL_FLUSHES = Metric(
    "aipower_agent_journal_flushes_total", "", "counter", "Times that the counters were written to the disk."
)
JOURNAL_FLUSH_TIME = Metric(
    "aipower_agent_journal_flush_seconds_total",
    "seconds",
    "counter",
    "Time that it took to write the counters, until the disk had them.",
)
JOURNAL_SIZE = Metric(
    "aipower_agent_journal_bytes", "bytes", "gauge", "Size of the counters as they were written last."
)

SINK_UP = Metric(
    "aipower_sink_up",
    "",
    "gauge",
    "1 while what is pushed to the sink arrives, 0 since a push has failed.",
    ("sink",),
)
SINK_PUSHES = Metric("aipower_sink_pushes_total", "", "counter", "Snapshots that arrived at the sink.", ("sink",))
SINK_FAULTS = Metric("aipower_sink_faults_total", "", "counter", "Pushes that have failed.", ("sink", "reason"))
SINK_SKIPPED = Metric(
    "aipower_sink_skipped_total",
    "",
    "counter",
    "Snapshots that were left out as the push before took too long.",
    ("sink",),
)
SINK_TIME = Metric("aipower_sink_push_seconds_total", "seconds", "counter", "Time spent in pushes.", ("sink",))
SINK_PUSHED = Metric(
    "aipower_sink_pushed_timestamp_seconds",
    "seconds",
    "gauge",
    "When a push last succeeded, in seconds since 1970.",
    ("sink",),
)

METRICS: tuple[Metric, ...] = (
    DEVICE_POWER,
    DEVICE_ENERGY,
    DEVICE_COMPONENT_ENERGY,
    PROCESS_ENERGY,
    PROCESS_FOLDED,
    PROCESS_ENERGY_ERROR,
    RUN_ENERGY,
    USER_ENERGY,
    JOB_ENERGY,
    JOB_FOLDED,
    JOB_ENERGY_ERROR,
    JOB_HELD,
    JOB_UNUSED,
    JOB_INFO,
    PROCESS_INFO,
    SENSOR_UP,
    POWER_LIMIT,
    SOURCE_MISSING,
    DEVICE_INFO,
    BUILD_INFO,
    AGENT_CPU,
    AGENT_MEMORY,
    AGENT_ENERGY,
    AGENT_ENERGY_SHARE,
    AGENT_TICKS,
    AGENT_TICK_TIME,
    AGENT_TICK_LATE,
    AGENT_TICKS_MISSED,
    AGENT_FAULTS,
    AGENT_FOLDED,
    AGENT_START,
    AGENT_DESCRIPTORS,
    AGENT_THREADS,
    AGENT_SWITCHES,
    COUNTERS_START,
    JOURNAL_UP,
    JOURNAL_WRITTEN,
    JOURNAL_FLUSHES,
    JOURNAL_FLUSH_TIME,
    JOURNAL_SIZE,
    SINK_UP,
    SINK_PUSHES,
    SINK_FAULTS,
    SINK_SKIPPED,
    SINK_TIME,
    SINK_PUSHED,
)
"""All metrics, in the order in which they are written."""


def markdown_table() -> str:
    """The table of `docs/metrics.md`, with a newline at its end."""
    head = ("metric", "type", "unit", "labels", "meaning")
    rows = [head, tuple("---" for _ in head), *(_row(metric) for metric in METRICS)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(metric: Metric) -> tuple[str, ...]:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return (f"`{metric.name}`", metric.type, metric.unit, labels, metric.help)


if __name__ == "__main__":
    print(markdown_table(), end="")
