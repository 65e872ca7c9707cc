"""Every metric of the table has its instrument, and no two are the same."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from aipower_exporters.metrics import DEVICE_ENERGY, DEVICE_POWER, METRICS, Metric
from aipower_exporters.otlp.mapping import (
    COMPONENTS,
    HOSTS,
    INSTRUMENTS,
    SCHEMA_URL,
    Instrument,
    convention,
    markdown_table,
)

DOCS = Path(__file__).parents[2] / "docs" / "otlp.md"
NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
WORDS = {"J": "joules", "W": "watts", "s": "seconds", "By": "bytes", "1": "ratio", "": ""}


def in_prometheus(instrument: Instrument) -> str:
    """The name that a receiver gives it which follows OpenTelemetry's rules for Prometheus."""
    name = instrument.name.replace(".", "_")
    unit = WORDS[instrument.unit]
    if unit and unit not in name.split("_"):
        name = f"{name}_{unit}"
    return f"{name}_total" if instrument.shape == "sum" else name


def test_every_metric_has_an_instrument_of_its_own() -> None:
    assert set(INSTRUMENTS) == set(METRICS)
    special = [*COMPONENTS.values(), *HOSTS.values()]
    names = Counter(instrument.name for instrument in [*INSTRUMENTS.values(), *special])
    assert max(names.values()) == 1
    assert all(NAME.fullmatch(name) for name in names)
    # A receiver that turns dots into underlines, or looks at no case, must not mix them up either.
    assert len({re.sub(r"[._]", "", name).lower() for name in names}) == len(names)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_receiver_for_prometheus_arrives_at_the_name_of_the_table(metric: Metric) -> None:
    assert in_prometheus(INSTRUMENTS[metric]) == metric.name


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_no_attribute_is_twice_or_stands_where_receivers_put_their_own(metric: Metric) -> None:
    attributes = INSTRUMENTS[metric].attributes
    assert len(attributes) == len(metric.labels)
    translated = [attribute.replace(".", "_") for attribute in attributes]
    assert len(set(translated)) == len(translated)
    assert not {"job", "instance", "otel_scope_name"} & set(translated)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_what_grows_is_a_sum_and_what_is_now_a_gauge(metric: Metric) -> None:
    instrument = INSTRUMENTS[metric]
    assert instrument.shape == {"counter": "sum", "gauge": "gauge", "info": "info"}[metric.type]
    assert instrument.whole == (instrument.unit in {"", "By"})


def test_devices_have_the_names_of_the_conventions() -> None:
    energies = {kind: convention(DEVICE_ENERGY, kind) for kind in ("gpu", "cpu", "dram", "node", "psys", "module")}
    assert {kind: found and found.name for kind, found in energies.items()} == {
        "gpu": "hw.energy",
        "cpu": "hw.energy",
        "dram": "hw.energy",
        "node": "hw.host.energy",
        "psys": "hw.host.energy",
        "module": None,
    }
    assert all((found.unit, found.shape) == ("J", "sum") for found in energies.values() if found)
    power = convention(DEVICE_POWER, "gpu")
    assert power is not None
    assert (power.name, power.unit, power.shape) == ("hw.power", "W", "gauge")


def test_the_documented_table_is_the_one_in_the_code() -> None:
    text = DOCS.read_text(encoding="utf-8")
    table = re.search(r"<!-- begin table -->\n(.*?)<!-- end table -->", text, re.DOTALL)
    assert table is not None
    assert table[1] == markdown_table()
    assert SCHEMA_URL.rsplit("/", 1)[1] in text
