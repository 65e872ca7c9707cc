"""CSV: a long table with one row for each series."""

from __future__ import annotations

import io
from collections.abc import Mapping
from csv import writer as csv_writer

from aipower.model import Snapshot
from aipower_exporters.metrics import METRICS
from aipower_exporters.samples import collect
from aipower_exporters.sinks.files import output_path
from aipower_exporters.sinks.options import Options
from aipower_exporters.sinks.rotation import OPTION_KEYS, LineFile, rotation_of

LABELS: tuple[str, ...] = tuple(dict.fromkeys(label for metric in METRICS for label in metric.labels))
"""All labels that any metric has, each a column."""
COLUMNS = ("at_unix_s", "metric", *LABELS, "value")


class CsvSink:
    """Appends the rows of each snapshot."""

    def __init__(self, file: LineFile) -> None:
        self._file = file

    def push(self, snapshot: Snapshot) -> None:
        """Append the rows.

        Raises:
            SinkError: There is no room (`full`), no right (`denied`), or another error (`failed`).
        """
        self._file.append(rows_of(snapshot))

    def close(self) -> None:
        """Nothing: the file is open during a push only."""


def csv_table(options: Mapping[str, object], _name: str) -> CsvSink:
    """The sink of the kind `csv`.

    Raises:
        UsageError: An option is wrong.
    """
    checked = Options.of(options, OPTION_KEYS)
    return CsvSink(LineFile(rotation_of(checked, output_path(checked)), header()))


def header() -> bytes:
    """The names of the columns, as the first line of each file."""
    return f"{','.join(COLUMNS)}\n".encode()


def rows_of(snapshot: Snapshot) -> bytes:
    """The rows of `snapshot`, in the order of the table of metrics; a label that a metric has not is empty."""
    text = io.StringIO()
    writer = csv_writer(text, lineterminator="\n")
    for metric, series in collect(snapshot).items():
        places = [metric.labels.index(label) if label in metric.labels else None for label in LABELS]
        for labels, value in series.items():
            cells = ["" if place is None else labels[place] for place in places]
            writer.writerow((snapshot.at_unix_s, metric.name, *cells, value))
    return text.getvalue().encode()
