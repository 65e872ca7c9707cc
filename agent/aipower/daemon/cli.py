"""`aipower agent` and `aipower config`: flags in front of the configuration."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from aipower.daemon.spared import spared
from aipower.imports.unbroken import imports
from aipower.settings.config import (
    SYSTEM_CONFIG,
    AgentConfig,
    describe,
    effective_path,
    find_mistakes,
    load_config,
    load_effective,
)
from aipower.settings.options import OPTIONS

HELP = {
    "listen": "address and port to serve on",
    "sensors": "auto, fake, fake:N, or a list of nvml, rapl",
    "interval_s": "seconds between sensor reads",
    "process_interval_s": "seconds between scans of all processes",
    "retention_s": "seconds for which an exited process keeps its series",
    "max_processes": "processes with series of their own; the rest are folded into `other`",
    "max_runs": "runs that are kept",
    "max_jobs": "jobs with series of their own; the rest are folded into `other`",
    "job_environment": "on or off: read what jobs say of themselves in their environment",
    "created_timestamps": "on or off: say in OpenMetrics when each counter began",
    "flush_interval_s": "seconds between two writes of the counters to the disk",
    "state_dir": "folder in which the counters outlive a restart, auto or none",
    "socket": "where aipower-run finds the agent, auto or none",
    "web_config": "file with TLS certificates and passwords",
    "live_page": "on or off: serve the live page and its JSON API",
    "history_s": "seconds that the live page can look back",
    "run_records": "folder of the runs whose reports are shown, auto or none",
    "user_labels": "how users are shown: uid, name or none",
    "log_level": "debug, info, warning or error",
    "log_format": "auto, text or json",
}
ACTIONS = ("show", "check")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags: one per setting, and the file."""
    parser.add_argument("--config", metavar="FILE", type=Path, help=f"default: {SYSTEM_CONFIG}, if it exists")
    for key in OPTIONS:
        parser.add_argument(f"--{key.replace('_', '-')}", dest=key, metavar="VALUE", help=HELP[key])


def add_agent_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `aipower agent`."""
    add_arguments(parser)
    parser.set_defaults(main=run_agent)


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags, and what to do with the settings."""
    actions = "show: print the settings in force (the default); check: tell all mistakes, one per line"
    parser.add_argument("action", nargs="?", choices=ACTIONS, default=ACTIONS[0], help=actions)
    add_arguments(parser)
    parser.set_defaults(main=run_config)


def run_agent(arguments: argparse.Namespace) -> int:
    """`aipower agent`."""
    config = effective(arguments)
    with imports(), spared():
        from aipower.daemon.agent import run  # noqa: PLC0415 - a mistake in the configuration should be told at once

    return run(config, lambda: effective(arguments))


def run_config(arguments: argparse.Namespace) -> int:
    """`aipower config`: the settings that the agent would use, as TOML, or all that is wrong with them."""
    if arguments.action == "check":
        return check_config(arguments)
    sys.stdout.write(describe(effective(arguments)))
    return 0


def check_config(arguments: argparse.Namespace) -> int:
    """0 and one line on stdout if the agent would start with these settings; else 2 and a line each on stderr."""
    path, given = effective_path(arguments.config), flags(arguments)
    mistakes = find_mistakes(path, os.environ, given)
    if not mistakes:
        from aipower.daemon.check import find_trouble  # noqa: PLC0415 - only right settings come so far

        mistakes = find_trouble(load_config(path, os.environ, given), os.environ)
    for mistake in mistakes:
        print(f"aipower: {mistake}", file=sys.stderr)
    if not mistakes:
        print(f"{path or 'defaults (there is no configuration file)'}: ok")
    return 2 if mistakes else 0


def effective(arguments: argparse.Namespace) -> AgentConfig:
    """Defaults < file < environment < flags.

    Raises:
        UsageError: One of them is wrong.
    """
    return load_effective(arguments.config, os.environ, flags(arguments))


def flags(arguments: argparse.Namespace) -> Mapping[str, str]:
    """The settings that the command line has."""
    return {key: value for key in OPTIONS if (value := getattr(arguments, key)) is not None}
