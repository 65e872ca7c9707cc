"""Reads the log of an external meter: CSV with time and watts."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from aipower.calibration.series import EnergySeries, Part
from aipower.errors import AipowerError

MAX_BYTES = 256 << 20
"""A day at 100 Hz."""
MAX_W = 1e6
PLAUSIBLE_UNIX_S = (946684800.0, 4102444800.0)
"""2000-01-01 to 2100-01-01."""
GAP_INTERVALS = 5.0
"""A step between two lines of more than this many usual ones is a gap."""
TIME_WORDS = ("time", "date", "unix", "epoch")
POWER_WORDS = ("watt", "power", "(w)", "[w]", "_w")


class Sample(Struct, frozen=True):
    """One line of the meter's log."""

    at_unix_s: float
    power_w: float


class _Columns(Struct, frozen=True):
    time: int = 0
    power: int = 1


def read_meter(path: Path, *, scale: float = 1.0, less_w: float = 0.0) -> EnergySeries:
    """The meter's energy: each line is the mean power since the line before.

    `scale` times the watts in the file, less `less_w`, is what counts: the efficiency of a supply between meter and
    device, and what else is on the meter.

    Raises:
        AipowerError: The file cannot be read, or a line of it cannot be understood, with its number.
    """
    return meter_series(list(parse_meter(read_lines(path), str(path))), str(path), scale=scale, less_w=less_w)


def read_lines(path: Path) -> Sequence[str]:
    """The lines of a text file.

    Raises:
        AipowerError: It cannot be read, is no text, or is too long.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise AipowerError(f"{path}: longer than {MAX_BYTES >> 20} MiB; cut out the time of the measurement")
        return path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise AipowerError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise AipowerError(f"{path}: no text in UTF-8; export the meter's log as CSV") from None


def parse_meter(lines: Sequence[str], name: str) -> Iterator[Sample]:
    """The samples of a log: time and watts, separated by `,`, `;` or a tab; `#` begins a comment.

    A header line names the columns; without one they are the first two.

    Raises:
        AipowerError: A line cannot be understood, or time does not go forwards, with the line's number.
    """
    columns, begun, last_s = _Columns(), False, -math.inf
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        cells = _cells(text)
        if not begun and _is_header(cells):
            columns, begun = _columns(cells, f"{name}:{number}"), True
            continue
        begun = True
        sample = _sample(cells, columns, f"{name}:{number}")
        if sample.at_unix_s <= last_s:
            raise AipowerError(f"{name}:{number}: time does not go forwards; each line must be later than the last")
        last_s = sample.at_unix_s
        yield sample


def meter_series(samples: Sequence[Sample], name: str, *, scale: float = 1.0, less_w: float = 0.0) -> EnergySeries:
    """The energy between the samples; where the log pauses there is a gap.

    Raises:
        AipowerError: There are fewer than two samples.
    """
    if len(samples) < 2:  # noqa: PLR2004 - the first only begins the interval of the second
        raise AipowerError(f"{name}: {len(samples)} lines with time and watts are no recording")
    steps_s = [b.at_unix_s - a.at_unix_s for a, b in itertools.pairwise(samples)]
    longest_s = GAP_INTERVALS * sorted(steps_s)[len(steps_s) // 2]
    return EnergySeries([
        Part(before.at_unix_s, after.at_unix_s, (scale * after.power_w - less_w) * step_s)
        for (before, after), step_s in zip(itertools.pairwise(samples), steps_s, strict=True)
        if step_s <= longest_s
    ])  # fmt: skip


def _cells(text: str) -> list[str]:
    separator = next((mark for mark in (";", "\t") if mark in text), ",")
    return [cell.strip().strip('"') for cell in text.split(separator)]


def _is_header(cells: Sequence[str]) -> bool:
    """Words: numbers and dates begin with a digit or a sign."""
    return any(cells) and not any(re.match(r"[-+.]?\d", cell) for cell in cells)


def _columns(cells: Sequence[str], place: str) -> _Columns:
    names = [cell.lower() for cell in cells]
    time = next((n for n, name in enumerate(names) if any(word in name for word in TIME_WORDS)), 0)
    powers = [n for n, name in enumerate(names) if n != time and any(word in name for word in POWER_WORDS)]
    if len(powers) > 1:
        told = ", ".join(cells[n] for n in powers)
        raise AipowerError(f"{place}: several columns may be the watts ({told}); keep the time and one of them")
    if not powers and len(cells) > 2:  # noqa: PLR2004 - of two columns the other one is it
        raise AipowerError(f'{place}: no column is called "watts"; name it so in this line')
    return _Columns(time, powers[0] if powers else 1 - min(time, 1))


def _sample(cells: Sequence[str], columns: _Columns, place: str) -> Sample:
    if len(cells) <= max(columns.time, columns.power):
        raise AipowerError(f"{place}: time and watts are needed, separated by a comma, a semicolon or a tab")
    return Sample(_unix_s(cells[columns.time], place), _watts(cells[columns.power], place))


def _unix_s(text: str, place: str) -> float:
    """Seconds since 1970; a time without a zone is local."""
    try:
        at_s = float(text)
    except ValueError:
        at_s = _iso_unix_s(text, place)
    low_s, high_s = PLAUSIBLE_UNIX_S
    if low_s <= at_s <= high_s:
        return at_s
    hint = ": milliseconds?" if low_s <= at_s / 1000 <= high_s else ""
    raise AipowerError(f'{place}: "{text[:40]}" is no time in unix seconds{hint}')


def _iso_unix_s(text: str, place: str) -> float:
    try:
        return datetime.fromisoformat(text.replace("/", "-")).timestamp()
    except (ValueError, OverflowError, OSError):
        raise AipowerError(
            f'{place}: "{text[:40]}" is no time; write unix seconds or ISO 8601, as in 2026-11-23T14:05:09.5+01:00'
        ) from None


def _watts(text: str, place: str) -> float:
    number = re.sub(r"\s*[Ww]$", "", text)
    if re.fullmatch(r"[-+]?\d+,\d*", number):
        number = number.replace(",", ".")
    try:
        watts = float(number)
    except ValueError:
        watts = math.nan
    if not abs(watts) <= MAX_W:
        raise AipowerError(f'{place}: "{text[:40]}" is no number of watts')
    return watts
