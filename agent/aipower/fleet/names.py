"""The metrics that a report asks for, and which labels are aipower's own.

The names are those of the exporters' table, which the agent does not import; a test holds them together.
"""

from __future__ import annotations

JOB_ENERGY = "aipower_job_energy_joules_total"
JOB_ERROR = "aipower_job_energy_error_joules"
JOB_HELD = "aipower_job_held_seconds_total"
JOB_UNUSED = "aipower_job_unused_seconds_total"
JOB_INFO = "aipower_job_info"
USER_ENERGY = "aipower_user_energy_joules_total"
BUILD_INFO = "aipower_build_info"
DEVICE_ENERGY = "aipower_device_energy_joules_total"
COMPONENT_ENERGY = "aipower_device_component_energy_joules_total"
DEVICE_POWER = "aipower_device_power_watts"
DEVICE_INFO = "aipower_device_info"
POWER_LIMIT = "aipower_device_power_limit_watts"
SENSOR_UP = "aipower_sensor_up"
SOURCE_MISSING = "aipower_source_missing"
FAULTS = "aipower_agent_faults_total"
COUNTERS_START = "aipower_counters_start_time_seconds"
PROCESS_ENERGY = "aipower_process_energy_joules_total"
PROCESS_ERROR = "aipower_process_energy_error_joules"
PROCESS_INFO = "aipower_process_info"

LEAVING = frozenset({JOB_ENERGY, JOB_HELD, JOB_UNUSED, PROCESS_ENERGY})
"""Accounts that leave a while after their end: who comes back later begins again at 0."""

OWN_LABELS = (
    "system", "job", "step", "user", "device", "kind", "index", "component", "name", "team", "account", "partition",
    "namespace", "pod", "pid", "comm", "run", "container", "unit", "slice", "uuid", "driver", "method", "source",
    "reason", "version",
)  # fmt: skip
"""Labels that the agent gives."""
EXPORTED = "exported_"
"""What Prometheus puts before a label of the page that it has itself too, unless told to honour those of the page."""
