from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from aipower_exporters.metrics import METRICS, Metric, markdown_table

DEVICE = ("device", "kind", "index")
PROCESS = ("pid", "comm", "user", "run", *DEVICE)
JOB = ("system", "job", "step", "user", *DEVICE)
PROMISED = {
    "aipower_device_power_watts": ("gauge", DEVICE),
    "aipower_device_energy_joules_total": ("counter", DEVICE),
    "aipower_device_component_energy_joules_total": ("counter", (*DEVICE, "component")),
    "aipower_process_energy_joules_total": ("counter", (*PROCESS, "component")),
    "aipower_process_folded_energy_joules_total": ("counter", (*DEVICE, "component")),
    "aipower_process_energy_error_joules": ("gauge", PROCESS),
    "aipower_run_energy_joules_total": ("counter", ("run", "name", "user", *DEVICE)),
    "aipower_user_energy_joules_total": ("counter", ("user", *DEVICE)),
    "aipower_job_energy_joules_total": ("counter", JOB),
    "aipower_job_folded_energy_joules_total": ("counter", DEVICE),
    "aipower_job_energy_error_joules": ("gauge", JOB),
    "aipower_job_held_seconds_total": ("counter", JOB),
    "aipower_job_unused_seconds_total": ("counter", JOB),
    "aipower_job_info": ("info", ("system", "job", "name", "team", "account", "partition", "namespace", "pod")),
    "aipower_process_info": (
        "info",
        ("pid", "comm", "user", "run", "system", "job", "step", "container", "unit", "slice"),
    ),
    "aipower_sensor_up": ("gauge", DEVICE),
    "aipower_device_power_limit_watts": ("gauge", DEVICE),
    "aipower_source_missing": ("gauge", ("source", "kind")),
    "aipower_device_info": ("info", (*DEVICE, "name", "uuid", "driver", "method")),
    "aipower_build_info": ("info", ("version",)),
    "aipower_agent_cpu_seconds_total": ("counter", ()),
    "aipower_agent_resident_memory_bytes": ("gauge", ()),
    "aipower_agent_energy_joules_total": ("counter", DEVICE),
    "aipower_agent_energy_share_ratio": ("gauge", ()),
    "aipower_agent_ticks_total": ("counter", ()),
    "aipower_agent_tick_seconds_total": ("counter", ()),
    "aipower_agent_tick_late_seconds_total": ("counter", ()),
    "aipower_agent_ticks_missed_total": ("counter", ()),
    "aipower_agent_faults_total": ("counter", ("device", "reason")),
    "aipower_agent_folded_series_total": ("counter", ()),
    "aipower_agent_start_time_seconds": ("gauge", ()),
    "aipower_agent_open_fds": ("gauge", ()),
    "aipower_agent_threads": ("gauge", ()),
    "aipower_agent_context_switches_total": ("counter", ()),
    "aipower_counters_start_time_seconds": ("gauge", ()),
    "aipower_agent_journal_up": ("gauge", ()),
    "aipower_agent_journal_written_timestamp_seconds": ("gauge", ()),
    "aipower_agent_journal_flushes_total": ("counter", ()),
    "aipower_agent_journal_flush_seconds_total": ("counter", ()),
    "aipower_agent_journal_bytes": ("gauge", ()),
    "aipower_sink_up": ("gauge", ("sink",)),
    "aipower_sink_pushes_total": ("counter", ("sink",)),
    "aipower_sink_faults_total": ("counter", ("sink", "reason")),
    "aipower_sink_skipped_total": ("counter", ("sink",)),
    "aipower_sink_push_seconds_total": ("counter", ("sink",)),
    "aipower_sink_pushed_timestamp_seconds": ("gauge", ("sink",)),
}
"""What others build dashboards on: change it only with a new major version."""

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_names_types_and_labels_are_the_promised_ones() -> None:
    assert {metric.name: (metric.type, metric.labels) for metric in METRICS} == PROMISED
    assert len(METRICS) == len(PROMISED)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_name_follows_the_rules_of_prometheus(metric: Metric) -> None:
    assert re.fullmatch(r"aipower_[a-z_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.type == "counter")
    assert metric.name.endswith("_info") == (metric.type == "info")
    assert metric.unit in {"", "watts", "joules", "seconds", "bytes", "ratio"}
    assert not metric.unit or metric.name.removesuffix("_total").endswith(f"_{metric.unit}")
    assert len(set(metric.labels)) == len(metric.labels)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_help_text_is_one_sentence_that_needs_no_escape(metric: Metric) -> None:
    assert metric.help.endswith(".")
    assert metric.help.isprintable()
    assert not set(metric.help) & set('\\"|')


def test_the_documented_table_is_the_one_of_the_code() -> None:
    _, _, rest = DOCS.read_text(encoding="utf-8").partition("<!-- begin table -->\n")
    table, end, _ = rest.partition("<!-- end table -->")
    assert end
    assert table == markdown_table()


def test_the_docs_name_no_metric_that_does_not_exist() -> None:
    named = set(re.findall(r"\baipower_(?!exporters)[a-z_]+", DOCS.read_text(encoding="utf-8")))
    assert named == set(PROMISED)


def test_the_module_prints_the_table() -> None:
    command = [sys.executable, "-m", "aipower_exporters.metrics"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == markdown_table()
    assert not done.stderr
