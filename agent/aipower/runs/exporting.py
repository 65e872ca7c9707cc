"""`aipower export`: many runs as one file."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from aipower.errors import UsageError
from aipower.runrecord import NoRecordError, RunRecord, from_json
from aipower.runs.flat import as_csv
from aipower.runs.listing import skipped_lines
from aipower.runs.options import filters_of
from aipower.runs.output import STANDARD_OUTPUT, note, write_file
from aipower.runs.rows import Filters, chosen, rows_of
from aipower.runs.words import plural, size
from aipower.store.finding import find_path
from aipower.store.folder import RunStore, load_file, open_store, read_bytes


def run_export(arguments: argparse.Namespace) -> int:
    """Write what was asked for; 0.

    Raises:
        UsageError: A word means no run, or there are words and filters.
        AipowerError: The file cannot be written.
    """
    filters = filters_of(arguments)
    if arguments.runs and filters != Filters():
        raise UsageError("name runs, or say which by --since, --name and so on, not both")
    store = open_store()
    paths = list(dict.fromkeys(find_path(store, word) for word in arguments.runs)) or _filtered(store, filters)
    form = arguments.format or ("csv" if arguments.output.endswith(".csv") else "jsonl")
    if arguments.runs:
        for path in paths:
            load_file(path)  # one that was named and cannot be read is an error, not a gap
    count = write_file(arguments.output, _lines(paths) if form == "jsonl" else as_csv(_records(paths)))
    if arguments.output != STANDARD_OUTPUT:
        note(f"{arguments.output}: {plural(len(paths), 'run')}, {size(count)}")
    return 0


def _filtered(store: RunStore, filters: Filters) -> Sequence[Path]:
    listing = store.listing()
    for line in skipped_lines(listing.skipped):
        note(line)
    return [store.path_of(row.run_id) for row in chosen(rows_of(listing), filters) if row.summary]


def _lines(paths: Iterable[Path]) -> Iterator[bytes]:
    """Whole records as they are, with fields of other versions; a run that has just been removed is left out."""
    for path in paths:
        with contextlib.suppress(OSError, msgspec.DecodeError):
            yield msgspec.json.format(read_bytes(path), indent=-1) + b"\n"


def _records(paths: Iterable[Path]) -> Iterator[RunRecord]:
    for path in paths:
        with contextlib.suppress(OSError, NoRecordError):
            yield from_json(read_bytes(path))
