"""`aipower report`: a run again, on the terminal or as a file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from types import MappingProxyType

from aipower.errors import AipowerError
from aipower.runrecord import RunRecord, to_json
from aipower.runs.output import STANDARD_OUTPUT, note, say, write_file
from aipower.runs.words import size
from aipower.store.folder import open_store

GROUP = "aipower.reports"
"""The entry points that make a file of a record: `(record: RunRecord) -> bytes`."""
Render = Callable[[RunRecord], bytes]


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
        raise AipowerError("two results cannot go to the same place; name a file for each", exit_code=2)
    record = open_store().find(arguments.run)
    for kind, target in wanted:
        _write(record, kind, target)
    if not wanted:
        _show(record, verbose=arguments.verbose)
    return 0


def _show(record: RunRecord, *, verbose: bool) -> None:
    from aipower.record.report import render  # noqa: PLC0415 - a file needs none of it

    say(render(record, verbose=verbose))


def _write(record: RunRecord, kind: str, target: str) -> None:
    count = write_file(target, [KINDS[kind]()(record)])
    if target != STANDARD_OUTPUT:
        note(f"{target}: {size(count)}, run {record.run_id}")


def renderer(kind: str) -> Render:
    """The function that makes a file of this kind.

    Raises:
        AipowerError: It is not installed, or cannot be imported.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - 10 ms that --json need not spend

    found = next(iter(entry_points(group=GROUP, name=kind)), None)
    if found is None:
        raise AipowerError(f"no {kind} report is installed; install aipower again, or take --json")
    try:
        render: Render = found.load()
    except (ImportError, AttributeError) as error:
        raise AipowerError(f"the {kind} report cannot be loaded: {error}; install aipower again") from error
    return render


KINDS: Mapping[str, Callable[[], Render]] = MappingProxyType(
    {"json": lambda: to_json, "csv": lambda: renderer("csv"), "html": lambda: renderer("html")}
)
"""The options that name a file, and where the function for it comes from."""
