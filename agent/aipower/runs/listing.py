"""`aipower runs`: the table, or JSON."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from aipower.runs.cli import LIMIT
from aipower.runs.options import filters_of
from aipower.runs.output import STANDARD_OUTPUT, colours, note, say, width_of, write_file
from aipower.runs.rows import Row, chosen, rows_of
from aipower.runs.table import legend, table
from aipower.runs.words import plural
from aipower.store.folder import Listing, RunStore, Skipped, open_store

SCHEMA = "aipower.runs/1"
SHOWN_SKIPPED = 3


def run_runs(arguments: argparse.Namespace) -> int:
    """Print what was asked for; 0.

    Raises:
        AipowerError: The folder cannot be read.
    """
    store = open_store()
    store.clean()
    listing = store.listing()
    found = chosen(rows_of(listing), filters_of(arguments), arguments.sort)
    limit = arguments.limit or (None if arguments.all or arguments.json else LIMIT)
    shown = found[-limit:] if limit else found
    if arguments.json:
        write_file(STANDARD_OUTPUT, [as_json(store, listing, shown)])
    else:
        _show(store, listing, found, shown)
    return 0


def _show(store: RunStore, listing: Listing, found: Sequence[Row], shown: Sequence[Row]) -> None:
    if more := len(found) - len(shown):
        note(f"... and {more} more above: -n {len(found)} or --all")
    if shown:
        colour, width = colours(sys.stdout, os.environ), width_of(sys.stdout, os.environ)
        say(table(shown, time.time(), width=width, colour=colour))
    elif listing.summaries or listing.going:
        note(f"none of {plural(len(rows_of(listing)), 'run')} fits these options")
    else:
        note(f"no run is kept in {store.folder} yet; aipower-run keeps those that it measures")
    for line in (*legend(shown), *skipped_lines(listing.skipped)):
        note(line)


def skipped_lines(skipped: Sequence[Skipped]) -> Iterable[str]:
    """What was left out, and why."""
    for one in skipped[:SHOWN_SKIPPED]:
        yield f"left out: {one.path}: {one.reason}"
    if len(skipped) > SHOWN_SKIPPED:
        yield f"left out: {len(skipped) - SHOWN_SKIPPED} more files, see `aipower runs --json`"


def as_json(store: RunStore, listing: Listing, rows: Sequence[Row]) -> bytes:
    """The rows, and the files that were left out, as one JSON object."""
    import msgspec  # noqa: PLC0415 - for --json only

    document = {
        "schema": SCHEMA,
        "folder": _utf8(store.folder),
        "runs": [_fields(row) for row in rows],
        "left_out": [{"path": _utf8(one.path), "reason": one.reason} for one in listing.skipped],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _utf8(path: Path) -> str:
    """A path may be any bytes, JSON may not."""
    return os.fsencode(path).decode(errors="replace")


def _fields(row: Row) -> dict[str, object]:
    """A summary's fields; of a run without a record those that are known."""
    import msgspec  # noqa: PLC0415 - for --json only

    if row.summary is not None:
        return {"state": row.state, **msgspec.to_builtins(row.summary), "mean_w": row.summary.mean_w}
    return {
        "state": row.state,
        "run_id": row.run_id,
        "name": row.name,
        "command": row.words,
        "started_unix_s": row.started_unix_s,
        "host": row.host,
    }
