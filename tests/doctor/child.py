"""Runs the doctor of this machine, with roots that a test built: child.py ROOT|- ARGUMENTS..."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aipower.doctor.cli import add_arguments, main, run_doctor
from aipower.doctor.world import World
from aipower.settings.address import parse_address


def run(root: str, arguments: list[str]) -> int:
    if root == "-":
        return run_doctor(arguments)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(arguments)
    top = Path(root)
    listen = parse_address(args.listen or "127.0.0.1:9877")
    return main(args, World(proc=top / "proc", sysfs=top / "sys", etc=top / "etc", listen=listen))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
