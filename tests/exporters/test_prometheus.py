from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics import exposition as openmetrics_exposition
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector

from aipower.model import DeviceState, JournalState, ProcessEnergy, ProcessId, ProcessInfo, Snapshot
from aipower_exporters.beginnings import beginnings
from aipower_exporters.metrics import Metric
from aipower_exporters.prometheus import PrometheusExporter
from aipower_exporters.samples import collect
from exporters.snapshots import CPU0, GPU0, GPU1, SNAPSHOTS, TRAIN, node

# prometheus_client gives these no types.
generate_openmetrics: Callable[[CollectorRegistry], bytes] = openmetrics_exposition.generate_latest
parse_openmetrics: Callable[[str], Iterable[Family]] = openmetrics_parser.text_string_to_metric_families

CASES = Path(__file__).parents[1] / "cases" / "exporters"
OPENMETRICS = "application/openmetrics-text"

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def text(snapshot: Snapshot, accept: str = "") -> str:
    return PrometheusExporter().render(snapshot, accept)[0].decode()


def flat(families: Iterable[Family]) -> Series:
    """Every sample, by name and labels; a series that is there twice fails."""
    found: Series = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} is there twice"
            found[key] = sample.value
    return found


def values(series: Series, name: str, /, **labels: str) -> list[float]:
    wanted = frozenset(labels.items())
    return [value for (found, has), value in series.items() if found == name and wanted <= has]


def scraped(snapshot: Snapshot) -> Series:
    return flat(parse_text(text(snapshot)))


class Oracle(Collector):
    """The same series, to be written by prometheus_client."""

    def __init__(self, snapshot: Snapshot, *, created: bool) -> None:
        self._snapshot = snapshot
        self._began = beginnings(snapshot) if created else {}

    def collect(self) -> Iterable[Family]:
        for metric, series in collect(self._snapshot).items():
            family, began = self._empty(metric), self._began.get(metric)
            for labels, value in series.items():
                named = dict(zip(metric.labels, labels, strict=True))
                family.add_sample(metric.name, named, value)
                if began and (at_unix_s := began.of(labels)) is not None:
                    family.add_sample(metric.name.removesuffix("_total") + "_created", named, at_unix_s)
            yield family

    @staticmethod
    def _empty(metric: Metric) -> Family:
        if metric.type == "counter":
            return CounterMetricFamily(metric.name, metric.help, unit=metric.unit)
        if metric.type == "gauge":
            return GaugeMetricFamily(metric.name, metric.help, unit=metric.unit)
        return InfoMetricFamily(metric.name.removesuffix("_info"), metric.help)


def oracle(snapshot: Snapshot, *, created: bool = False) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Oracle(snapshot, created=created))
    return registry


def comparable(families: Iterable[Family]) -> list[tuple[object, ...]]:
    """Families as data in which NaN equals itself."""
    return [
        (f.name, f.documentation, f.type, f.unit, [(s.name, s.labels, repr(s.value)) for s in f.samples])
        for f in families
    ]


def is_created(key: tuple[str, frozenset[tuple[str, str]]]) -> bool:
    return key[0].endswith("_created")


# --- golden ---


@pytest.mark.parametrize(
    ("name", "snapshot", "accept"),
    [
        ("node.txt", node(), ""),
        ("node.openmetrics.txt", node(), OPENMETRICS),
        ("bare.txt", Snapshot(at_unix_s=0.0, version="0.1.0"), ""),
    ],
)
def test_the_page_is_the_recorded_one(name: str, snapshot: Snapshot, accept: str) -> None:
    path = CASES / name
    page = text(snapshot, accept)
    if os.environ.get("AIPOWER_UPDATE_GOLDEN") == "1":
        path.write_text(page, encoding="utf-8")
    assert page == path.read_text(encoding="utf-8")


# --- laws ---


@given(SNAPSHOTS)
def test_any_snapshot_gives_a_text_page_that_parses_with_no_series_twice(snapshot: Snapshot) -> None:
    assert values(scraped(snapshot), "aipower_build_info") == [1.0]


@given(SNAPSHOTS)
def test_any_snapshot_gives_an_openmetrics_page_that_parses_to_the_same_series(snapshot: Snapshot) -> None:
    page = text(snapshot, OPENMETRICS)
    assert page.endswith("# EOF\n")
    strict = {key: repr(value) for key, value in flat(parse_openmetrics(page)).items() if not is_created(key)}
    assert strict == {key: repr(value) for key, value in scraped(snapshot).items()}


@given(SNAPSHOTS)
def test_the_text_says_what_prometheus_client_would_have_said(snapshot: Snapshot) -> None:
    theirs = generate_latest(oracle(snapshot)).decode()
    assert comparable(parse_text(text(snapshot))) == comparable(parse_text(theirs))


@given(SNAPSHOTS)
def test_openmetrics_says_what_prometheus_client_would_have_said(snapshot: Snapshot) -> None:
    theirs = generate_openmetrics(oracle(snapshot, created=True)).decode()
    ours = text(snapshot, OPENMETRICS)
    assert comparable(parse_openmetrics(ours)) == comparable(parse_openmetrics(theirs))


@given(SNAPSHOTS)
def test_no_line_can_be_broken_by_a_label(snapshot: Snapshot) -> None:
    page = text(snapshot)
    assert page.splitlines() == page.split("\n")[:-1]
    assert all(line.isprintable() for line in page.splitlines())


@given(SNAPSHOTS)
def test_components_of_all_devices_sum_to_their_energy_to_1_ppm(snapshot: Snapshot) -> None:
    series = scraped(snapshot)
    whole = sum(values(series, "aipower_device_energy_joules_total"))
    parts = sum(values(series, "aipower_device_component_energy_joules_total"))
    assert math.isclose(whole, parts, rel_tol=1e-6)
    assert math.isclose(whole, sum(device.energy_uj for device in snapshot.devices) / 1e6, rel_tol=1e-6)


@given(SNAPSHOTS)
def test_jobs_sum_to_the_energy_of_the_devices(snapshot: Snapshot) -> None:
    series = scraped(snapshot)
    whole = sum(device.energy_uj for device in snapshot.devices) / 1e6
    names = ("aipower_job_energy_joules_total", "aipower_job_folded_energy_joules_total")
    parts = [value for name in names for value in values(series, name)]
    most = max((abs(part) for part in parts), default=0.0)
    assert math.isclose(math.fsum(parts), whole, rel_tol=1e-6, abs_tol=1e-9 * most)


@given(SNAPSHOTS)
def test_each_counter_says_when_it_began_and_can_be_told_not_to(snapshot: Snapshot) -> None:
    series = flat(parse_openmetrics(text(snapshot, OPENMETRICS)))
    created = {key for key in series if is_created(key)}
    totals = {(name.removesuffix("_total") + "_created", labels) for name, labels in series if name.endswith("_total")}
    assert created <= totals
    if snapshot.since_unix_s is not None and snapshot.agent.started_unix_s is not None:
        assert created == totals
    page, _ = PrometheusExporter().configured({"created_timestamps": "off"}).render(snapshot, OPENMETRICS)
    assert not [key for key in flat(parse_openmetrics(page.decode())) if is_created(key)]


@given(SNAPSHOTS)
def test_no_energy_of_a_process_or_run_is_lost_even_where_series_meet(snapshot: Snapshot) -> None:
    series = scraped(snapshot)
    processes = sum(process.context_uj + process.active_uj for process in snapshot.processes)
    runs = sum(run.energy_uj for run in snapshot.runs)
    found = sum(values(series, "aipower_process_energy_joules_total"))
    assert math.isclose(found, processes / 1e6, rel_tol=1e-6)
    assert math.isclose(sum(values(series, "aipower_run_energy_joules_total")), runs / 1e6, rel_tol=1e-6)


@given(SNAPSHOTS)
def test_power_is_there_only_for_a_sensor_that_is_up_and_says_a_number(snapshot: Snapshot) -> None:
    power = values(scraped(snapshot), "aipower_device_power_watts")
    assert bool(power) == any(
        device.up and device.power_w is not None and math.isfinite(device.power_w) for device in snapshot.devices
    )


@given(SNAPSHOTS)
@settings(max_examples=25)
def test_rendering_twice_gives_the_same_bytes(snapshot: Snapshot) -> None:
    exporter = PrometheusExporter()
    assert exporter.render(snapshot, OPENMETRICS) == exporter.render(snapshot, OPENMETRICS)


# --- devices ---


def test_a_failed_sensor_has_no_power_up_0_and_keeps_its_counters() -> None:
    series = scraped(node())
    assert values(series, "aipower_device_power_watts", device=GPU1.id) == []
    assert values(series, "aipower_sensor_up", device=GPU1.id) == [0.0]
    assert values(series, "aipower_device_energy_joules_total", device=GPU1.id) == [7e-6]
    assert values(series, "aipower_sensor_up", device=GPU0.id) == [1.0]


def test_a_last_power_that_was_left_in_a_failed_device_is_not_shown() -> None:
    failed: DeviceState = replace(node().devices[0], up=False)
    assert values(scraped(replace(node(), devices=(failed,))), "aipower_device_power_watts") == []


def test_a_device_always_has_all_four_components() -> None:
    series = scraped(node())
    for component, joules in (("idle", 7e-6), ("context", 0.0), ("active", 0.0), ("unattributed", 0.0)):
        name = "aipower_device_component_energy_joules_total"
        assert values(series, name, device=GPU1.id, component=component) == [joules]


def test_facts_of_a_device_are_on_its_info() -> None:
    found = {"device": CPU0.id, "name": CPU0.name, "method": "integrated", "uuid": "", "driver": ""}
    assert values(scraped(node()), "aipower_device_info", **found) == [1.0]


# --- processes ---


def test_a_process_shows_its_energy_by_component_and_its_error() -> None:
    series = scraped(node())
    who = {"pid": "4242", "comm": "python3", "user": "ada", "run": "run-1", "device": GPU0.id}
    assert values(series, "aipower_process_energy_joules_total", **who, component="context") == [1.5]
    assert values(series, "aipower_process_energy_joules_total", **who, component="active") == [5.0]
    assert values(series, "aipower_process_energy_error_joules", **who) == [0.25]


def test_a_process_without_a_context_has_no_context_series() -> None:
    name = "aipower_process_energy_joules_total"
    assert values(scraped(node()), name, device=CPU0.id, component="context") == []


def test_the_folded_account_is_called_other_and_has_no_pid_or_user() -> None:
    name = "aipower_process_energy_joules_total"
    assert values(scraped(node()), name, pid="", comm="other", user="", device=CPU0.id) == [0.5]


def test_processes_and_the_rest_of_a_device_sum_to_the_device() -> None:
    series = scraped(node())
    component = "aipower_device_component_energy_joules_total"
    for device in (GPU0, CPU0):
        rest = [values(series, component, device=device.id, component=c)[0] for c in ("idle", "unattributed")]
        used = values(series, "aipower_process_energy_joules_total", device=device.id)
        whole = values(series, "aipower_device_energy_joules_total", device=device.id)
        assert math.isclose(sum(used) + sum(rest), whole[0], rel_tol=1e-6)


def test_a_pid_that_was_used_again_by_the_same_command_is_one_series_with_the_sum() -> None:
    again = ProcessInfo(ProcessId("boot", TRAIN.id.pid, 999), TRAIN.comm, TRAIN.user)
    both = tuple(ProcessEnergy(info, "", GPU0, 0, 1_000_000, 500_000.0) for info in (TRAIN, again))
    series = scraped(replace(node(), processes=both))
    assert values(series, "aipower_process_energy_joules_total") == [2.0]
    assert values(series, "aipower_process_energy_error_joules") == [1.0]


def test_faults_are_counted_by_device_and_reason() -> None:
    series = scraped(node())
    assert values(series, "aipower_agent_faults_total", device=GPU1.id, reason="gone") == [1.0]
    assert values(series, "aipower_agent_faults_total", device="", reason="gap") == [2.0]


def test_the_agent_shows_its_own_cost() -> None:
    series = scraped(node())
    shown = {name: value for (name, _), value in series.items() if name.startswith("aipower_agent_")}
    del shown["aipower_agent_faults_total"]
    assert shown == {
        "aipower_agent_cpu_seconds_total": 1.25,
        "aipower_agent_resident_memory_bytes": 40e6,
        "aipower_agent_energy_joules_total": 0.002,
        "aipower_agent_energy_share_ratio": 0.0005,
        "aipower_agent_ticks_total": 3600.0,
        "aipower_agent_tick_seconds_total": 2.5,
        "aipower_agent_tick_late_seconds_total": 0.125,
        "aipower_agent_ticks_missed_total": 1.0,
        "aipower_agent_folded_series_total": 3.0,
        "aipower_agent_start_time_seconds": 1_789_990_000.0,
        "aipower_agent_open_fds": 20.0,
        "aipower_agent_threads": 6.0,
        "aipower_agent_context_switches_total": 9000.0,
        "aipower_agent_journal_up": 1.0,
        "aipower_agent_journal_written_timestamp_seconds": 1_789_999_990.0,
        "aipower_agent_journal_flushes_total": 360.0,
        "aipower_agent_journal_flush_seconds_total": 1.5,
        "aipower_agent_journal_bytes": 60_000.0,
    }


def test_without_a_journal_nothing_is_said_of_one() -> None:
    series = scraped(replace(node(), journal=None))
    assert not [name for name, _ in series if "journal" in name]
    broken = scraped(replace(node(), journal=JournalState(up=False)))
    assert values(broken, "aipower_agent_journal_up") == [0.0]
    assert values(broken, "aipower_agent_journal_written_timestamp_seconds") == []


def test_users_show_their_energy_by_device() -> None:
    series = scraped(node())
    name = "aipower_user_energy_joules_total"
    assert values(series, name, user="ada", device=GPU0.id) == [6.5]
    assert values(series, name, user="", device=GPU0.id) == [1.5]
    assert values(series, "aipower_counters_start_time_seconds") == [1_780_000_000.0]
