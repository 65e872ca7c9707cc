"""How the table of metrics reads in OpenTelemetry: names, units and attributes, derived and not listed.

Energy and power of devices go out as the semantic conventions for hardware of OpenTelemetry have it, version 1.44.0
(status: development): `hw.energy` and `hw.power` for components, `hw.host.energy` and `hw.host.power` for whole
machines, which must not be summed with their components. All else has a name of its own. The names are such that a
receiver which turns them into Prometheus' names arrives at those of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from aipower_exporters import metrics
from aipower_exporters.metrics import METRICS, Metric

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
UNITS: Mapping[str, str] = MappingProxyType(
    {"joules": "J", "watts": "W", "seconds": "s", "bytes": "By", "ratio": "1", "": ""}
)
"""UCUM's codes of the units of the table."""
WHOLE_UNITS = ("", "bytes")
"""What is counted in these is a whole number."""
RENAMED: Mapping[str, str] = MappingProxyType({"job": "job.id"})
"""Receivers for Prometheus put the name of the service into the label `job`, over an attribute of that name."""
COMPONENT_TYPES: Mapping[str, str] = MappingProxyType({"gpu": "gpu", "cpu": "cpu", "dram": "memory"})
"""`hw.type` of each kind of device that is summed."""
HOST_KINDS = ("node", "psys")
"""Kinds of devices that measure the whole machine."""

Shape = Literal["sum", "gauge", "info"]
"""A cumulative sum that only grows; a value of now; a sum that is always 1."""


class Instrument(Struct, frozen=True):
    """One metric of OpenTelemetry."""

    name: str
    unit: str
    shape: Shape
    whole: bool
    """Its values are integers; else they are doubles, all of them."""
    description: str
    attributes: tuple[str, ...]
    """In the order of the labels of its row of the table."""


def instrument(metric: Metric) -> Instrument:
    """The instrument of a row of the table, apart from conventions."""
    words = metric.name.removesuffix("_total").split("_")
    if metric.unit and words[-1] == metric.unit:
        words.pop()
    name = ".".join((*words[:2], "_".join(words[2:])))
    attributes = tuple(RENAMED.get(label, label) for label in metric.labels)
    shape: Shape = "sum" if metric.type == "counter" else metric.type
    return Instrument(name, UNITS[metric.unit], shape, metric.unit in WHOLE_UNITS, metric.help, attributes)


def _convention(metric: Metric, name: str) -> Instrument:
    shape: Shape = "sum" if metric.type == "counter" else "gauge"
    return Instrument(name, UNITS[metric.unit], shape, False, metric.help, ("hw.id", "hw.type", "index"))


INSTRUMENTS: Mapping[Metric, Instrument] = MappingProxyType({metric: instrument(metric) for metric in METRICS})
COMPONENTS: Mapping[Metric, Instrument] = MappingProxyType(
    {
        metrics.DEVICE_ENERGY: _convention(metrics.DEVICE_ENERGY, "hw.energy"),
        metrics.DEVICE_POWER: _convention(metrics.DEVICE_POWER, "hw.power"),
    }
)
"""Conventions for the kinds of `COMPONENT_TYPES`."""
HOSTS: Mapping[Metric, Instrument] = MappingProxyType(
    {
        metrics.DEVICE_ENERGY: _convention(metrics.DEVICE_ENERGY, "hw.host.energy"),
        metrics.DEVICE_POWER: _convention(metrics.DEVICE_POWER, "hw.host.power"),
    }
)
"""Conventions for `HOST_KINDS`."""


def convention(metric: Metric, kind: str) -> Instrument | None:
    """The convention for `metric` of a device of `kind`; None where there is none.

    A `module` has none: it contains components that are sent themselves.
    """
    if kind in COMPONENT_TYPES:
        return COMPONENTS.get(metric)
    return HOSTS.get(metric) if kind in HOST_KINDS else None


def markdown_table() -> str:
    """The table of `docs/otlp.md`, with a newline at its end."""
    head = ("OpenTelemetry", "type", "unit", "attributes", "Prometheus")
    rows = [row for metric in METRICS for row in _rows(metric)]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, tuple("---" for _ in head), *rows))


def _rows(metric: Metric) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    if metric in COMPONENTS:
        rows.append(_row(metric, COMPONENTS[metric], ("hw.id", "hw.type", "hw.name", "hw.parent", "index")))
        rows.append(_row(metric, HOSTS[metric], ("hw.id", "hw.name", "hw.parent", "index")))
    found = INSTRUMENTS[metric]
    return [*rows, _row(metric, found, found.attributes)]


def _row(metric: Metric, found: Instrument, attributes: tuple[str, ...]) -> tuple[str, ...]:
    kind = {"sum": "counter", "gauge": "gauge", "info": "sum, always 1"}[found.shape]
    number = " (int)" if found.whole and found.shape != "info" else ""
    shown = ", ".join(f"`{attribute}`" for attribute in attributes)
    return f"`{found.name}`", f"{kind}{number}", found.unit, shown, f"`{metric.name}`"


if __name__ == "__main__":
    print(markdown_table(), end="")
