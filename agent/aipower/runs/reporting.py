"""`aipower report`: a run again, on the terminal or as a file."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping

from aipower.errors import UsageError
from aipower.record.renderers import renderer
from aipower.runrecord import RunRecord, to_json
from aipower.runs.options import CLUSTER_ONLY
from aipower.runs.output import STANDARD_OUTPUT, colours, glyphs, note, say, width_of, write_file
from aipower.runs.words import size
from aipower.store.finding import find_path
from aipower.store.folder import load_file, open_store
from aipower.store.writing import home_of

KINDS = ("json", "csv", "html")
"""The options that name a file. All but the first are made by an exporter of that name."""


def run_report(arguments: argparse.Namespace) -> int:
    """Print or write what was asked for; 0.

    Raises:
        UsageError: No run is meant, or several.
        AipowerError: It cannot be read, or what was asked for cannot be written.
    """
    # Before anything is read or written: two results in one stream would be neither.
    wanted = [(kind, target) for kind in KINDS if (target := getattr(arguments, kind)) is not None]
    targets = [target for _, target in wanted]
    if len(set(targets)) < len(targets):
        raise UsageError("two results cannot go to the same place; name a file for each")
    if arguments.prometheus is not None:
        return _of_cluster(arguments)
    alone = next((name for name in CLUSTER_ONLY if getattr(arguments, name)), None)
    if alone is not None:
        raise UsageError(f"--{alone.replace('_', '-')} is for reports of a cluster: name its --prometheus URL")
    store = open_store()
    path = find_path(store, arguments.run or "last")
    record = load_file(path)
    for kind, target in wanted:
        _write(record, kind, target)
    if not wanted:
        _show(with_terms(record, os.environ), verbose=arguments.verbose, kept=path.parent == store.folder)
    return 0


def _of_cluster(arguments: argparse.Namespace) -> int:
    from aipower.fleet.command import run_fleet_report  # noqa: PLC0415 - a local run needs no network

    if arguments.run is not None:
        raise UsageError(f"{arguments.run!r} is a run of this machine; with --prometheus say --job, --user or --since")
    verbose = arguments.verbose
    return run_fleet_report(
        arguments, _write, lambda record: _show(with_terms(record, os.environ), verbose=verbose, kept=False)
    )


def _show(record: RunRecord, *, verbose: bool, kept: bool) -> None:
    from aipower.record.page import Page  # noqa: PLC0415 - a file needs none of it
    from aipower.record.report import render  # noqa: PLC0415 - as above

    columns, colour = width_of(sys.stdout, os.environ), colours(sys.stdout, os.environ)
    page = Page(columns or 0, color=colour, glyphs=glyphs(sys.stdout, os.environ), saved=kept, verbose=verbose)
    say(render(record, page))


def _write(record: RunRecord, kind: str, target: str) -> None:
    content = to_json(record) if kind == "json" else renderer(kind)(with_terms(record, os.environ))
    count = write_file(target, [content])
    if target != STANDARD_OUTPUT:
        note(f"{target}: {size(count)}, run {record.run_id}")


def with_terms(record: RunRecord, environ: Mapping[str, str]) -> RunRecord:
    """Carbon and cost by what is configured now, for a run of a time when nothing was."""
    from aipower.footprint.apply import with_footprint  # noqa: PLC0415 - not for --json
    from aipower.footprint.settings import load_footprint  # noqa: PLC0415 - as above

    if record.carbon or record.cost:
        return record
    try:
        return with_footprint(record, load_footprint(environ, home_of(environ)))
    except UsageError as error:
        note(f"aipower report: no cost and no carbon: {error}")
        return record
