"""Runs as a table for a spreadsheet: a row for each, the columns documented in docs/runs.md."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from aipower.runrecord import Interval, RunRecord

Cell = str | int | float | bool | None
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet would take for a formula, also in full width, and run."""
KINDS = ("gpu", "cpu", "dram")


def as_csv(records: Iterable[RunRecord]) -> Iterator[bytes]:
    """The lines, with a head. Metrics and units of work have columns of their own, of whichever run they are."""
    rows = [cells_of(record) for record in records]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    yield _line(columns)
    for row in rows:
        yield _line([row.get(column) for column in columns])


def cells_of(record: RunRecord) -> Mapping[str, Cell]:
    """The cells of a run by column."""
    return {**_who(record), **_energy(record), **_footprint(record), **_place(record), **_work(record)}


def _who(record: RunRecord) -> dict[str, Cell]:
    return {
        "run_id": record.run_id,
        "name": record.name,
        "command": shlex.join(record.command),
        "host": record.host,
        "started": _iso(record.started_unix_s),
        "started_unix_s": record.started_unix_s,
        "wall_s": record.wall_s,
        "exit_code": record.exit_code,
        "complete": record.complete,
        "simulated": record.simulated,
    }


def _energy(record: RunRecord) -> dict[str, Cell]:
    energy_j = record.energy_j.total
    return {
        "energy_j": energy_j,
        **_ends("energy", "j", record.interval_j.total),
        **_ends("repeatable", "j", record.repeatable_interval_j.total),
        **{f"{kind}_j": getattr(record.energy_j, kind) for kind in KINDS},
        "estimated_j": record.estimated_j.total,
        "mean_w": energy_j / record.wall_s if energy_j is not None and record.wall_s > 0 else None,
        "cpu_time_s": record.cpu_time_s,
        "max_rss_bytes": record.max_rss_bytes,
    }


def _footprint(record: RunRecord) -> dict[str, Cell]:
    carbon, cost = record.carbon, record.cost
    return {
        "co2e_g": carbon.co2e_g if carbon else None,
        "intensity_g_per_kwh": carbon.intensity_g_per_kwh if carbon else None,
        "zone": carbon.zone if carbon else None,
        "cost": cost.amount if cost else None,
        "currency": cost.currency if cost else None,
    }


def _place(record: RunRecord) -> dict[str, Cell]:
    job, series = record.job, record.series
    return {
        "series_id": series.id if series else None,
        "series_index": series.index if series else None,
        "job_system": job.system if job else None,
        "job_id": job.id if job else None,
        "job_node": job.node if job else None,
        "job_rank": job.rank if job else None,
        "measured_by": record.measured_by,
        "version": record.version,
    }


def _work(record: RunRecord) -> dict[str, Cell]:
    return {
        **{f"metric.{name}": value for name, value in record.metrics.items()},
        **{f"work.{unit}": amount for unit, amount in record.work.items()},
        **{f"j_per.{one.unit}": one.energy_j for one in record.per},
    }


def _ends(what: str, unit: str, interval: Interval | None) -> dict[str, Cell]:
    low, high = interval or (None, None)
    return {f"{what}_low_{unit}": low, f"{what}_high_{unit}": high}


def _iso(unix_s: float) -> str:
    try:
        return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return ""


def _line(cells: Sequence[Cell]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([_cell(cell) for cell in cells])
    return text.getvalue().encode()


def _cell(cell: Cell) -> str | int | float | None:
    """Text without line breaks and the like, which not all readers of CSV take, and without formulas."""
    if isinstance(cell, bool):
        return int(cell)
    if not isinstance(cell, str):
        return cell
    plain = cell if cell.isprintable() else "".join(map(_visible, cell))
    return f"'{plain}" if plain.startswith(FORMULA) else plain


def _visible(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()
