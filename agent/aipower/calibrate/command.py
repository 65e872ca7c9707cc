"""What each action of `aipower calibrate` does."""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from aipower.calibrate.console import Streams
from aipower.calibrate.devices import find_sensor
from aipower.calibrate.record import record
from aipower.calibrate.report import Outcome, as_json, as_text, list_json, list_text
from aipower.calibrate.steps import take_steps
from aipower.calibration.align import Shift
from aipower.calibration.checks import check_fit
from aipower.calibration.entry import Entry
from aipower.calibration.file import (
    SYSTEM_FILE,
    calibration_files,
    load_entries,
    read_entries,
    remove_entry,
    save_entry,
    target_file,
)
from aipower.calibration.fit import Fit, fit_points, with_meter_error
from aipower.calibration.match import match
from aipower.calibration.readings import read_meter
from aipower.calibration.recording import Recording, read_recording
from aipower.errors import AipowerError, UsageError
from aipower.seams import Clock, SystemClock

SECONDS = (10.0, 86400.0)
ACCURACY_PERCENT = (0.0, 10.0)
EFFICIENCY = (0.5, 1.0)


class Session(Struct, frozen=True):
    """The world around the command; each field can be another in a test."""

    clock: Clock
    environ: Mapping[str, str]
    streams: Streams
    root: bool = False
    system: Path = SYSTEM_FILE


def this_session() -> Session:
    """The real one."""
    streams = Streams(sys.stdin, sys.stdout, sys.stderr)
    return Session(SystemClock(), os.environ, streams, root=os.geteuid() == 0)


def run_record(arguments: argparse.Namespace, session: Session) -> int:
    """`record`: our side into a file."""
    _check("--seconds", arguments.seconds, SECONDS)
    _check_writable(arguments.out)
    recording = _record(arguments, session)
    try:
        arguments.out.write_text(recording.text)
    except OSError as error:
        raise AipowerError(f"{arguments.out} cannot be written: {error.strerror or error}") from error
    session.streams.say(
        f"wrote {arguments.out}; next: aipower calibrate fit --ours {arguments.out} --meter METER.csv",
    )
    return 0


def run_fit(arguments: argparse.Namespace, session: Session) -> int:
    """`fit`: a recording, made before or now, against the meter's log."""
    _check("--efficiency", arguments.efficiency, EFFICIENCY)
    _check("--seconds", arguments.seconds, SECONDS)
    path = _target(arguments, session)
    if not arguments.ours and not arguments.meter.exists():
        session.streams.say(f"{arguments.meter} is not there yet: it must be when the recording ends")
    recording = read_recording(arguments.ours) if arguments.ours else _record(arguments, session)
    meter = read_meter(arguments.meter, scale=arguments.efficiency, less_w=arguments.subtract)
    matched = match(recording.series, meter, arguments.shift)
    name = arguments.meter_name or arguments.meter.name
    return _conclude(arguments, session, _Found(recording, matched.fit, name, matched.shift), path)


def run_steps(arguments: argparse.Namespace, session: Session) -> int:
    """`steps`: load levels by hand."""
    path = _target(arguments, session)
    streams = session.streams
    last: list[Recording] = []
    with closing(find_sensor(arguments.device, arguments.sensors, session.clock, session.environ)) as sensor:

        def measure(seconds: float) -> Recording:
            last[:] = [record(sensor, session.clock, seconds, streams.countdown)]
            streams.counted()
            return last[0]

        streams.say(f"{sensor.device.kind.upper()} {sensor.device.index}: {sensor.device.name} ({sensor.device.id})")
        points = take_steps(streams, measure)
    fit = fit_points(points)
    check_fit(fit)
    return _conclude(arguments, session, _Found(last[0], fit, arguments.meter_name or "read by hand"), path)


def run_show(arguments: argparse.Namespace, session: Session) -> int:
    """`show`: what is calibrated."""
    entries = load_entries(session.environ, session.system)
    session.streams.result(list_json(entries) if arguments.json else list_text(entries))
    return 0


def run_remove(arguments: argparse.Namespace, session: Session) -> int:
    """`remove`: one entry less, in each file that this user may change."""
    paths = [arguments.output] if arguments.output else calibration_files(session.environ, session.system)
    held = [path for path in paths if arguments.device in read_entries(path)]
    if not held:
        raise UsageError(f"{arguments.device} is not calibrated; aipower calibrate show lists what is")
    for path in held:
        remove_entry(path, arguments.device)
        session.streams.say(f"removed from {path}")
    return 0


ACTIONS: Mapping[str, Callable[[argparse.Namespace, Session], int]] = MappingProxyType(
    {"record": run_record, "fit": run_fit, "steps": run_steps, "show": run_show, "remove": run_remove}
)


class _Found(Struct, frozen=True):
    """A fit and what it was made of."""

    recording: Recording
    fit: Fit
    meter: str
    shift: Shift | None = None


def _record(arguments: argparse.Namespace, session: Session) -> Recording:
    with closing(find_sensor(arguments.device, arguments.sensors, session.clock, session.environ)) as sensor:
        session.streams.say(f"recording {sensor.device.name} for {arguments.seconds:g} s: let the meter log meanwhile")
        recording = record(sensor, session.clock, arguments.seconds, session.streams.countdown)
    session.streams.counted()
    return recording


def _conclude(arguments: argparse.Namespace, session: Session, found: _Found, path: Path | None) -> int:
    """Write the entry and show it."""
    try:
        entry = _entry(arguments, session, found)
    except ValueError as error:
        raise UsageError(f"this fit cannot be kept: {error}") from None
    outcome = Outcome(found.recording.device, found.fit, entry, found.shift, path)
    if path is not None:
        save_entry(path, outcome.device.id, entry)
    session.streams.result(as_json(outcome) if arguments.json else as_text(outcome))
    return 0


def _entry(arguments: argparse.Namespace, session: Session, found: _Found) -> Entry:
    scale = with_meter_error(found.fit.calibration, arguments.meter_accuracy / 100)
    return Entry(
        gain=scale.gain,
        offset_w=scale.offset_w,
        gain_se=scale.gain_se,
        offset_se_w=scale.offset_se_w,
        covariance_w=scale.covariance_w,
        residual_w=found.fit.residual_w,
        points=len(found.fit.points),
        range_w=found.fit.range_w,
        meter=found.meter,
        date=time.strftime("%Y-%m-%d", time.gmtime(session.clock.unix_s())),
        device=found.recording.device.name,
        driver=found.recording.driver,
    )


def _target(arguments: argparse.Namespace, session: Session) -> Path | None:
    """Where the entry will go, seen to be possible before anybody spends time; None for a dry run."""
    _check("--meter-accuracy", arguments.meter_accuracy, ACCURACY_PERCENT)
    if arguments.dry_run:
        return None
    path: Path = arguments.output or target_file(session.environ, root=session.root, system=session.system)
    _check_writable(path)
    read_entries(path)
    return path


def _check(option: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not (math.isfinite(value) and low <= value <= high):
        raise UsageError(f"{option} {value:g} is not within {low:g} and {high:g}")


def _check_writable(path: Path) -> None:
    """Refuse a path to which a file cannot be written, or a folder."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        # The only sure test: root may write everywhere, but not in /proc.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); name another file, or run as root") from None
