"""JSON lines: one object for each push."""

from __future__ import annotations

import math
import socket
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from aipower.model import Snapshot
from aipower_exporters.metrics import Metric
from aipower_exporters.samples import Series, collect, label_value
from aipower_exporters.sinks.files import output_path
from aipower_exporters.sinks.options import Options
from aipower_exporters.sinks.rotation import OPTION_KEYS, LineFile, rotation_of

SCHEMA = "aipower.sample/1"
SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "device": "devices",
        "sensor": "devices",
        "process": "processes",
        "run": "runs",
        "user": "users",
        "job": "jobs",
        "sink": "sinks",
    }
)
"""Where a metric stands, by the second word of its name; all others are of the agent."""
AGENT = "agent"

Row = dict[str, str | float | None]
"""Labels, and the values of all metrics that have exactly these labels, by their names."""


class JsonLinesSink:
    """Appends one line for each snapshot."""

    def __init__(self, file: LineFile, host: str) -> None:
        self._file = file
        self._host = host

    def push(self, snapshot: Snapshot) -> None:
        """Append a line.

        Raises:
            SinkError: There is no room (`full`), no right (`denied`), or another error (`failed`).
        """
        self._file.append(line_of(snapshot, self._host))

    def close(self) -> None:
        """Nothing: the file is open during a push only."""


def jsonl(options: Mapping[str, object], _name: str) -> JsonLinesSink:
    """The sink of the kind `jsonl`.

    Raises:
        UsageError: An option is wrong.
    """
    checked = Options.of(options, OPTION_KEYS)
    return JsonLinesSink(LineFile(rotation_of(checked, output_path(checked))), socket.gethostname())


def line_of(snapshot: Snapshot, host: str) -> bytes:
    """`snapshot` as a line, with its end."""
    record = {
        "schema": SCHEMA,
        "at_unix_s": snapshot.at_unix_s,
        "host": label_value(host),
        "version": label_value(snapshot.version),
        **rows_of(collect(snapshot)),
    }
    return msgspec.json.encode(record) + b"\n"


def rows_of(table: Mapping[Metric, Series]) -> Mapping[str, list[Row]]:
    """The rows of each section; sections without rows are there too."""
    rows: dict[str, dict[tuple[tuple[str, ...], tuple[str, ...]], Row]] = {
        section: {} for section in (*dict.fromkeys(SECTIONS.values()), AGENT)
    }
    for metric, series in table.items():
        section = rows[section_of(metric)]
        for labels, value in series.items():
            row = section.setdefault((metric.labels, labels), {})
            if not row:
                row.update(zip(metric.labels, labels, strict=True))
            # JSON has no other way to say that a number is none.
            row[metric.name] = value if math.isfinite(value) else None
    return {section: list(found.values()) for section, found in rows.items()}


def section_of(metric: Metric) -> str:
    """Whose rows `metric` is in."""
    return SECTIONS.get(metric.name.split("_")[1], AGENT)
