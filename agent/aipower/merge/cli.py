"""The command `aipower merge`: one run of the parts of many ranks and nodes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aipower.errors import AipowerError, UsageError

if TYPE_CHECKING:
    from aipower.runrecord import RunRecord
    from aipower.store import RunStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of the command."""
    parser.add_argument(
        "what", nargs="*", metavar="RUN|FILE|DIR", help="runs that are kept, their files, or a folder of such files"
    )
    parser.add_argument("--job", default="", metavar="ID", help="only the runs of this job (ID or ID.STEP)")
    parser.add_argument("--force", action="store_true", help="merge runs of several jobs, or of none")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the merged record to FILE")
    parser.add_argument("--html", metavar="FILE", help="write a report to FILE")
    parser.add_argument("--json", action="store_true", help="print the record (schema aipower.run/1), not the report")
    parser.add_argument("--no-save", action="store_true", help="do not keep the merged run with the others")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Merge, keep, write and print; 0.

    Raises:
        UsageError: Nothing was named, or what was named is not there.
        AipowerError: The records are no parts of one run, or a file cannot be read or written.
    """
    from aipower.merge.choose import check_alike, check_one_job, distinct, of_job  # noqa: PLC0415 - msgspec and more
    from aipower.merge.merge import merge  # noqa: PLC0415 - as above
    from aipower.store import open_store  # noqa: PLC0415 - as above

    store = open_store()
    if not arguments.what and not arguments.job:
        raise UsageError("name runs, files or a folder to merge, or a job by --job ID")
    records = _found(store, arguments.what, arguments.job)
    if arguments.job:
        records = of_job(records, arguments.job)
        if not records:
            raise UsageError(f"--job {arguments.job}: none of the records is of this job")
    check_alike(records)
    parts = distinct(records)
    if not arguments.force:
        check_one_job(parts)
    _hand_out(_with_footprint(merge(parts)), arguments, store)
    return 0


def _found(store: RunStore, words: Sequence[str], job: str) -> list[RunRecord]:
    """All records that are named; with a job and no names those of the store that are of the job."""
    from aipower.merge.choose import is_of  # noqa: PLC0415 - see above

    if not words:
        return [store.load(one.run_id) for one in store.summaries() if is_of(one.job, job)]
    records: list[RunRecord] = []
    for word in words:
        records += _of_folder(Path(word)) if Path(word).is_dir() else store.find_all(word)
    return records


def _of_folder(folder: Path) -> list[RunRecord]:
    """The records in `folder`; other JSON files may lie there too.

    Raises:
        AipowerError: There is none, or the folder or a record cannot be read.
    """
    from aipower.store.folder import load_file  # noqa: PLC0415 - see above

    try:
        paths = sorted(folder.glob("*.json"))
    except OSError as error:
        raise AipowerError(f"{folder}: {error.strerror or error}") from error
    records: list[RunRecord] = []
    for path in paths:
        try:
            records.append(load_file(path))
        except AipowerError as error:
            print(f"aipower merge: left out: {error}", file=sys.stderr)
    if not records:
        raise AipowerError(f"{folder}: no record of a run in it; each rank writes one by aipower-run --json FILE")
    return records


def _with_footprint(record: RunRecord) -> RunRecord:
    """Carbon and cost on the terms of who merges, where the parts tell none."""
    from aipower.footprint.apply import with_footprint  # noqa: PLC0415 - see above
    from aipower.footprint.settings import load_footprint  # noqa: PLC0415 - see above

    if record.carbon or record.cost:
        return record
    return with_footprint(record, load_footprint(os.environ, Path.home()))


def _hand_out(record: RunRecord, arguments: argparse.Namespace, store: RunStore) -> None:
    from aipower.runrecord import to_json  # noqa: PLC0415 - see above
    from aipower.runs.output import say, write_file  # noqa: PLC0415 - as above

    content = to_json(record)
    if arguments.output is not None:
        write_file(arguments.output, [content])
    if arguments.html is not None:
        from aipower.record.renderers import renderer  # noqa: PLC0415 - only for --html

        write_file(arguments.html, [renderer("html")(record)])
    if not arguments.no_save:
        store.put(record)
    if arguments.json:
        write_file("-", [content])
    else:
        say(_report(record, saved=not arguments.no_save))


def _report(record: RunRecord, *, saved: bool) -> str:
    from aipower.record.page import Page  # noqa: PLC0415 - not for --json
    from aipower.record.report import render  # noqa: PLC0415 - as above
    from aipower.runs.output import colours, width_of  # noqa: PLC0415 - as above

    glyphs = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    columns = width_of(sys.stdout, os.environ) or 0
    return render(record, Page(columns, color=colours(sys.stdout, os.environ), glyphs=glyphs, saved=saved))
