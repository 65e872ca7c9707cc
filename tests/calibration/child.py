"""Runs `aipower calibrate` on the time of a scripted machine: child.py FOLDER ARGUMENTS...

FOLDER holds the machine's clock, which our sleeping moves, and is where the system's calibration file would be.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from aipower.arguments import Parser
from aipower.calibrate.cli import add_arguments, main
from aipower.calibrate.command import Session
from aipower.calibrate.console import Streams
from aipower.errors import AipowerError
from fake_driver.script import write_clock

T0_S = 1000.0
WALL_OFFSET_S = 1_780_000_000.0


@dataclass(frozen=True, slots=True)
class MachineClock:
    """Time as the fake driver sees it."""

    path: Path

    def monotonic_s(self) -> float:
        return T0_S + float(self.path.read_text())

    def unix_s(self) -> float:
        return WALL_OFFSET_S + self.monotonic_s()

    def sleep(self, seconds: float) -> None:
        write_clock(self.path, float(self.path.read_text()) + seconds)


def run(folder: Path, arguments: list[str]) -> int:
    parser = Parser(prog="aipower calibrate")
    add_arguments(parser)
    streams = Streams(sys.stdin, sys.stdout, sys.stderr)
    session = Session(MachineClock(folder / "clock"), os.environ, streams, system=folder / "system.json")
    try:
        return main(parser.parse_args(arguments), session)
    except AipowerError as error:
        print(f"aipower: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
