"""What a fit looks like, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from aipower.calibration.align import Shift
from aipower.calibration.entry import Z_95, Entry
from aipower.calibration.file import Stored
from aipower.calibration.fit import Fit, Point
from aipower.model import Device

SCHEMA = "aipower.calibrate/1"
MAX_ROWS = 12


class Outcome(Struct, frozen=True):
    """A fit that holds, and where its entry goes."""

    device: Device
    fit: Fit
    """As the points give it; the entry also holds the meter's own error."""
    entry: Entry
    shift: Shift | None = None
    """None where a person read the meter."""
    path: Path | None = None
    """None where nothing is written."""


def as_text(outcome: Outcome) -> str:
    """The fit, its points, and the error before and after, as lines with a newline at the end."""
    entry, fit = outcome.entry, outcome.fit
    low_w, high_w = entry.range_w
    lines = [f"{outcome.device.kind.upper()} {outcome.device.index}  {outcome.device.name}  ({outcome.device.id})"]
    if outcome.shift is not None:
        seconds, likeness = outcome.shift.seconds, outcome.shift.correlation
        lines.append(f"  meter's clock  {abs(seconds):.2f} s {_side(seconds)} (correlation {likeness:.4f})")
    lines += [
        f"  gain           {entry.gain:.4f} ± {Z_95 * entry.gain_se:.4f}",
        f"  offset         {entry.offset_w:+.2f} ± {Z_95 * entry.offset_se_w:.2f} W",
        f"  points         {entry.points}, readings {low_w:.1f} .. {high_w:.1f} W, residual {entry.residual_w:.2f} W",
        f"  {'sensor':>12}{'meter':>12}{'error before':>15}{'error after':>15}",
        *(_row(point, fit) for point in _chosen(fit.points)),
        f"  mean error     {_mean_error(fit, before=True)} before, {_mean_error(fit, before=False)} after",
        f"  so the truth is {entry.gain:.4f} x reading {entry.offset_w:+.2f} W; {_certainty(entry)}",
        f"  written to {outcome.path}" if outcome.path else "  nothing written (--dry-run)",
    ]
    return "\n".join(lines) + "\n"


def as_json(outcome: Outcome) -> str:
    """The same as one JSON object."""
    pairs = zip(outcome.fit.points, outcome.fit.residuals_w, strict=True)
    points = [{**asdict(point), "residual_w": residual_w} for point, residual_w in pairs]
    return _json({
        "schema": SCHEMA,
        "id": outcome.device.id,
        **_facts(outcome.entry),
        "shift_s": outcome.shift and outcome.shift.seconds,
        "correlation": outcome.shift and outcome.shift.correlation,
        "fitted": points,
        "file": outcome.path and str(outcome.path),
    })  # fmt: skip


def list_text(entries: Mapping[str, Stored]) -> str:
    """All entries, two lines each."""
    if not entries:
        return "no device is calibrated; see aipower calibrate --help\n"
    lines = []
    for device, stored in sorted(entries.items()):
        entry = stored.entry
        lines.append(f"{device}  {entry.device}".rstrip())
        lines.append(f"  {entry.words}, driver {entry.driver or 'unknown'}; {stored.path}")
    return "\n".join(lines) + "\n"


def list_json(entries: Mapping[str, Stored]) -> str:
    """All entries as one JSON object."""
    devices = {device: {**_facts(stored.entry), "file": str(stored.path)} for device, stored in entries.items()}
    return _json({"schema": SCHEMA, "devices": devices})


def _certainty(entry: Entry) -> str:
    return f"±{100 * entry.uncertainty:.2g} % at {entry.range_w[1]:.0f} W (95 %)"


def _facts(entry: Entry) -> dict[str, object]:
    return {**asdict(entry), "uncertainty": entry.uncertainty}


def _json(data: object) -> str:
    return json.dumps(data, indent=2) + "\n"


def _side(seconds: float) -> str:
    return "ahead of ours" if seconds >= 0 else "behind ours"


def _chosen(points: Sequence[Point]) -> list[Point]:
    """At most MAX_ROWS points, by reading, evenly from the lowest to the highest."""
    ordered = sorted(points, key=lambda point: point.ours_w)
    if len(ordered) <= MAX_ROWS:
        return ordered
    return [ordered[round(row * (len(ordered) - 1) / (MAX_ROWS - 1))] for row in range(MAX_ROWS)]


def _row(point: Point, fit: Fit) -> str:
    before, after = _error(point, fit, before=True), _error(point, fit, before=False)
    return f"  {point.ours_w:10.1f} W{point.meter_w:10.1f} W{_percent(before):>15}{_percent(after):>15}"


def _error(point: Point, fit: Fit, *, before: bool) -> float | None:
    """Relative error against the meter; None where that shows nothing."""
    if point.meter_w <= 0:
        return None
    line = fit.calibration
    ours_w = point.ours_w if before else line.gain * point.ours_w + line.offset_w
    return ours_w / point.meter_w - 1


def _percent(error: float | None) -> str:
    return "-" if error is None else f"{100 * error:+.2f} %"


def _mean_error(fit: Fit, *, before: bool) -> str:
    errors = [abs(error) for point in fit.points if (error := _error(point, fit, before=before)) is not None]
    return f"{100 * sum(errors) / len(errors):.2f} %" if errors else "-"
