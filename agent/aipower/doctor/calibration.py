"""Which devices were held against an external meter."""

from __future__ import annotations

from aipower.calibration.default import default_words
from aipower.calibration.file import load_entries
from aipower.doctor.finding import Result
from aipower.doctor.text import plural
from aipower.doctor.world import World
from aipower.errors import UsageError
from aipower.model import Kind


def files(world: World) -> Result:
    """Whether the calibration files can be used; none is no failure."""
    try:
        entries = load_entries(world.environ, world.calibration_file)
    except UsageError as error:
        return Result("fail", str(error), "aipower-run and the agent cannot use it: repair or remove it")
    if not entries:
        return Result("ok", "no device is calibrated")
    paths = ", ".join(sorted({str(stored.path) for stored in entries.values()}))
    return Result("ok", f"{plural(len(entries), 'device')} in {paths}")


def of_device(world: World, device: str, kind: Kind, driver: str = "") -> Result:
    """The scale of the device with the id `device`; a driver other than at its calibration is told."""
    try:
        stored = load_entries(world.environ, world.calibration_file).get(device)
    except UsageError:
        return Result("skip", "the calibration file is broken")
    if stored is None:
        return Result("ok", f"not calibrated ({default_words(kind)}): aipower calibrate")
    found = f"calibrated: {stored.entry.words}"
    made = stored.entry.driver
    if made and driver and made != driver:
        return Result("ok", f"{found}; made with driver {made}, now {driver}: check it again")
    return Result("ok", found)
