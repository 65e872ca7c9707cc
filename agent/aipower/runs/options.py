"""The options that say which runs are meant; `runs`, `rm` and `export` have them in common."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from aipower.runs.words import DAY_S, HOUR_S, MINUTE_S

if TYPE_CHECKING:
    from aipower.runs.rows import Filters

RUN_HELP = "`last`, `last~N`, a run's id or the first 4 characters or more of it, a name, or a record's file"
UNITS_S: Mapping[str, float] = MappingProxyType(
    {"s": 1.0, "m": MINUTE_S, "min": MINUTE_S, "h": HOUR_S, "d": DAY_S, "w": 7 * DAY_S, "y": 365 * DAY_S}
)
WORDS: Mapping[str, str] = MappingProxyType(
    {"sec": "s", "second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w", "year": "y"}
)
"""Units in full, for which the plural will do as well."""
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)(?:\s+ago)?")
_UNIX = re.compile(r"\d{9,11}(?:\.\d+)?")
"""Seconds since 1970, from 1973 on; eight digits are a date."""


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of `filters_of`."""
    group = parser.add_argument_group("which runs")
    group.add_argument("--name", metavar="NAME", help="of this name; a pattern as in 'base*' will do")
    group.add_argument("--command", dest="text", metavar="TEXT", help="with TEXT in the command line")
    group.add_argument("--host", metavar="HOST", help="on this host")
    group.add_argument("--series", metavar="ID", help="of this series (aipower-run -r)")
    group.add_argument("--failed", action="store_true", help="whose command failed, or that were killed")
    group.add_argument("--since", type=moment_ago, metavar="WHEN", help="begun since: 2d, 3h, 2026-11-01, today")
    group.add_argument(
        "--older-than", type=moment_ago, metavar="WHEN", help="begun before: 30d, 1y, 2026-11-01, '2026-11-01 12:00'"
    )


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of a report from a Prometheus."""
    group = parser.add_argument_group("of a cluster, from its Prometheus, Thanos, Mimir or VictoriaMetrics")
    group.add_argument("--prometheus", metavar="URL", help="where its HTTP API is, as in http://prometheus:9090")
    group.add_argument("--job", metavar="ID", help="a job: its id, a pod's uid or name, a container, a service")
    group.add_argument("--user", metavar="USER", help="all that a user used; as metrics name users, usually by uid")
    group.add_argument(
        "--since", type=moment_ago, metavar="WHEN", help="from then on: 2d, '3 hours', 2026-11-01, today"
    )
    group.add_argument("--until", type=moment_ago, metavar="WHEN", help="up to then; default: now")
    group.add_argument("--system", metavar="NAME", help="slurm, kubernetes, docker, systemd, ...")
    group.add_argument("--node", action="append", default=[], metavar="NAME", help="this node only; may be repeated")
    group.add_argument(
        "--match", action="append", default=[], metavar="MATCHER", help="as in 'cluster=\"x\"'; may be repeated"
    )
    group.add_argument(
        "--cluster-label", default="cluster", metavar="LABEL", help="tells clusters apart; default: cluster"
    )
    group.add_argument(
        "--node-label", metavar="LABEL", help="names nodes; default: node, nodename, hostname or instance"
    )
    group.add_argument(
        "--header", action="append", default=[], metavar="'NAME: VALUE'", help="as in 'X-Scope-OrgID: tenant'"
    )
    group.add_argument("--password-file", metavar="FILE", help="the password of the user in the URL; else ~/.netrc")
    group.add_argument("--bearer-file", metavar="FILE", help="a token")
    group.add_argument("--timeout", type=seconds, default=60.0, metavar="SECONDS", help="for each query; default: 60")


CLUSTER_ONLY = (
    "job",
    "user",
    "since",
    "until",
    "system",
    "node",
    "match",
    "node_label",
    "header",
    "password_file",
    "bearer_file",
)
"""Options that have no sense without `--prometheus`."""


def seconds(text: str) -> float:
    """A time limit: more than 0, an hour at most.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= HOUR_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 to {HOUR_S}")
    return value


def filters_of(arguments: argparse.Namespace) -> Filters:
    """What the options ask for."""
    from aipower.runs.rows import Filters  # noqa: PLC0415 - msgspec is not for --help

    return Filters(
        name=arguments.name,
        command=arguments.text,
        host=arguments.host,
        series=arguments.series,
        failed=arguments.failed,
        since_unix_s=arguments.since,
        before_unix_s=arguments.older_than,
    )


def moment_ago(text: str, now_unix_s: float | None = None) -> float:
    """The Unix time of `2d` or `2 days` (ago), `2026-11-01`, `2026-11-01 12:00` (local time), `today`, `yesterday`.

    Also of `now`, of RFC 3339 as in `2026-11-01T12:00:00Z`, and of seconds since 1970.

    Raises:
        argparse.ArgumentTypeError: It is none of them.
    """
    from datetime import datetime  # noqa: PLC0415 - 5 ms that a list without dates need not spend

    now_s = time.time() if now_unix_s is None else now_unix_s
    word = text.strip().lower()
    if _UNIX.fullmatch(word):
        return float(word)
    if word == "now":
        return now_s
    if age := _AGE.fullmatch(word):
        if (unit_s := UNITS_S.get(WORDS.get(age[2].removesuffix("s"), age[2]))) is not None:
            return now_s - float(age[1]) * unit_s
    elif word in {"today", "yesterday"}:
        day = datetime.fromtimestamp(now_s if word == "today" else now_s - DAY_S).astimezone()
        return day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: 2d, 3h, 30min, 2026-11-01, today") from error


def count_of(text: str) -> int:
    """A whole number from 1 on.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of runs; --all shows them all")
    return int(text)
