"""`aipower rm`: runs go, once somebody has seen which."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterable, Sequence

from aipower.errors import UsageError
from aipower.runs.options import filters_of
from aipower.runs.output import colours, note, say, width_of
from aipower.runs.rows import Filters, Row, chosen, rows_of
from aipower.runs.table import table
from aipower.runs.words import plural, size
from aipower.store.finding import find_going, find_path
from aipower.store.folder import Listing, RunStore, open_store

REMOVABLE = ("ended", "killed")
SHOWN = 10


def run_rm(arguments: argparse.Namespace) -> int:
    """Remove what was named; 0, or 1 where the answer was no.

    Raises:
        UsageError: No run is meant, or there is nobody to ask.
        AipowerError: One cannot be removed.
    """
    filters = filters_of(arguments)
    if bool(arguments.runs) == (arguments.all or filters != Filters()):
        raise UsageError("name runs, or say which by --older-than, --name and so on, or --all; see aipower rm --help")
    store = open_store()
    listing = store.listing()
    ids = _named(store, listing, arguments.runs) if arguments.runs else _filtered(listing, filters)
    told = f"{plural(len(ids), 'run')}, {size(_bytes(store, ids))}"
    if arguments.dry_run:
        _show(listing, ids)
        say(f"would remove {told}\n")
        return 0
    if ids and not arguments.force and not _agreed(store, listing, ids, told):
        note("nothing was removed")
        return 1
    for run_id in ids:
        store.remove(run_id)
    store.clean()
    say(f"removed {told}\n")
    return 0


def _named(store: RunStore, listing: Listing, words: Iterable[str]) -> Sequence[str]:
    """The ids that the words mean, each once; also of a run that was killed, and of a record that is no longer read.

    Raises:
        UsageError: A word means none, or a file outside of the store.
    """
    return list(dict.fromkeys(_id_of(store, listing, word) for word in words))


def _id_of(store: RunStore, listing: Listing, word: str) -> str:
    try:
        path = find_path(store, word)
    except UsageError:
        going = find_going(listing, word)
        if going is None or going.state == "running":
            raise
        return going.marker.run_id
    if path.parent != store.folder:
        raise UsageError(f"{word} is no run of {store.folder}, but a file; remove it as any other")
    return path.stem


def _filtered(listing: Listing, filters: Filters) -> Sequence[str]:
    """The ids of the runs that are asked for; never of one that still goes."""
    return [row.run_id for row in chosen(rows_of(listing), filters) if row.state in REMOVABLE]


def _bytes(store: RunStore, ids: Iterable[str]) -> int:
    count = 0
    for run_id in ids:
        with contextlib.suppress(OSError):
            count += store.path_of(run_id).stat().st_size
    return count


def _agreed(store: RunStore, listing: Listing, ids: Sequence[str], told: str) -> bool:
    """What a person at the terminal says.

    Raises:
        UsageError: There is none.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{told}: nobody is there to ask; -f removes without asking, --dry-run only tells")
    _show(listing, ids)
    print(f"remove {told} from {store.folder}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _show(listing: Listing, ids: Sequence[str]) -> None:
    wanted = set(ids)
    rows: list[Row] = [row for row in rows_of(listing) if row.run_id in wanted]
    if len(rows) > SHOWN:
        note(f"... and {len(rows) - SHOWN} more above")
    if rows:
        colour, width = colours(sys.stdout, os.environ), width_of(sys.stdout, os.environ)
        say(table(rows[-SHOWN:], time.time(), width=width, colour=colour))
