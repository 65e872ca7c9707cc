"""`aipower agent` and `aipower config`: flags in front of the configuration."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from aipower.settings.config import SYSTEM_CONFIG, AgentConfig, describe, load_effective
from aipower.settings.options import OPTIONS

HELP = {
    "listen": "address and port to serve on",
    "sensors": "auto, fake, fake:N, or a list of nvml, rapl",
    "interval_s": "seconds between sensor reads",
    "process_interval_s": "seconds between scans of all processes",
    "retention_s": "seconds for which an exited process keeps its series",
    "max_processes": "processes with series of their own; the rest are folded into `other`",
    "log_level": "debug, info, warning or error",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags: one per setting, and the file."""
    parser.add_argument("--config", metavar="FILE", type=Path, help=f"default: {SYSTEM_CONFIG}, if it exists")
    for key in OPTIONS:
        parser.add_argument(f"--{key.replace('_', '-')}", dest=key, metavar="VALUE", help=HELP[key])


def run_agent(arguments: argparse.Namespace) -> int:
    """`aipower agent`."""
    config = effective(arguments)
    from aipower.daemon.agent import run  # noqa: PLC0415 - a mistake in the configuration should be told at once

    return run(config)


def print_config(arguments: argparse.Namespace) -> int:
    """`aipower config`: the settings that the agent would use, as TOML."""
    sys.stdout.write(describe(effective(arguments)))
    return 0


def effective(arguments: argparse.Namespace) -> AgentConfig:
    """Defaults < file < environment < flags.

    Raises:
        UsageError: One of them is wrong.
    """
    flags = {key: value for key in OPTIONS if (value := getattr(arguments, key)) is not None}
    return load_effective(arguments.config, os.environ, flags)
