"""Records of runs in a folder, for the table of runs and the links to their reports."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from aipower.runrecord import RunRecord, to_json
from aipower.shelf.opening import open_shelf
from aipower.site.sources import Shelf
from aipower.store.writing import put_bytes
from exporters.html.records import bare, full, hostile
from live.scenarios import UGLY


def shelf_of(folder: Path, records: Sequence[RunRecord]) -> Shelf:
    """A shelf with `records`, in a folder of its own."""
    folder.mkdir(exist_ok=True)
    for record in records:
        put_bytes(str(folder), record.run_id, to_json(record))
    return open_shelf(str(folder.absolute()), {})


def _timed(record: RunRecord, number: int, **changes: object) -> RunRecord:
    """As it would have been `number` hours ago."""
    begun_s = time.time() - 3600 * number
    run_id = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(begun_s))}-{number:08x}"
    return replace(record, run_id=run_id, started_unix_s=begun_s, **changes)


def records() -> list[RunRecord]:
    """Plain ones, and one that failed."""
    return [_timed(full(), 1, name="resnet50"), _timed(bare(), 2, name="broken", exit_code=1)]


def ugly_records() -> list[RunRecord]:
    """With names that are no names."""
    return [_timed(hostile(text), number) for number, text in enumerate(UGLY, 1)]
