"""The command `aipower calibrate`: its options, and the way to its parts."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aipower.calibrate.command import Session

DEFAULT_ACCURACY_PERCENT = 0.5
"""The usual class of power meters: half a percent of what they show."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the actions of the command and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=type(parser))
    record = actions.add_parser("record", help="record our sensor while an external meter logs", allow_abbrev=False)
    _add_sensor(record)
    record.add_argument("--seconds", type=float, default=120.0, help="how long (default 120)")
    record.add_argument("--out", type=Path, metavar="FILE", required=True, help="where to, for `fit --ours`")
    fit = actions.add_parser("fit", help="fit gain and offset to the log of a meter", allow_abbrev=False)
    fit.add_argument("--meter", type=Path, metavar="FILE", required=True, help="the meter's log: CSV, time and watts")
    fit.add_argument("--ours", type=Path, metavar="FILE", help="our recording; without it one is made first")
    _add_sensor(fit)
    fit.add_argument("--seconds", type=float, default=120.0, help="how long to record without --ours (default 120)")
    _add_meter(fit)
    _add_output(fit)
    steps = actions.add_parser("steps", help="type what the meter shows at some load levels", allow_abbrev=False)
    _add_sensor(steps)
    _add_accuracy(steps)
    _add_output(steps)
    show = actions.add_parser("show", help="list the calibrated devices", allow_abbrev=False)
    show.add_argument("--json", action="store_true", help="print one JSON object")
    remove = actions.add_parser("remove", help="forget the calibration of a device", allow_abbrev=False)
    remove.add_argument("device", metavar="ID", help="the device's id, as `show` prints it")
    remove.add_argument("--output", type=Path, metavar="FILE", help="the file to change, if not the usual one")
    parser.set_defaults(main=main, calibrate_parser=parser)


def main(arguments: argparse.Namespace, session: Session | None = None) -> int:
    """Do the action; its exit code.

    Raises:
        AipowerError: It cannot be done, in one line with the remedy.
    """
    if arguments.action is None:
        arguments.calibrate_parser.print_help()
        return 2
    # The machinery (sensors, msgspec) is imported only where it runs: each command mounts this module.
    from aipower.calibrate.command import ACTIONS, this_session  # noqa: PLC0415 - see above

    return ACTIONS[arguments.action](arguments, session or this_session())


def _add_sensor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", metavar="DEVICE", help="gpu:0, cpu:0, a GPU's index, or an id")
    parser.add_argument("--sensors", metavar="LIST", default="auto", help="auto (default), nvml, rapl, or fake")


def _add_meter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--shift", type=float, default=0.0, metavar="SECONDS", help="about how far its clock is ahead")
    parser.add_argument("--efficiency", type=float, default=1.0, metavar="PART", help="of a supply behind the meter")
    parser.add_argument("--subtract", type=float, default=0.0, metavar="WATTS", help="what else is on the meter")
    _add_accuracy(parser)


def _add_accuracy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--meter-accuracy", type=float, default=DEFAULT_ACCURACY_PERCENT, metavar="PERCENT",
        help=f"of the meter's data sheet, at 95 %% (default {DEFAULT_ACCURACY_PERCENT})",
    )  # fmt: skip
    parser.add_argument("--meter-name", default="", metavar="TEXT", help="kept with the result")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, metavar="FILE", help="the calibration file, if not the usual one")
    parser.add_argument("--dry-run", action="store_true", help="show the fit and write nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
