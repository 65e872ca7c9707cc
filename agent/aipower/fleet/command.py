"""`aipower report --prometheus URL`: a report as of a local run, of a job, a user or everything in a cluster."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

from aipower.errors import UsageError
from aipower.fleet.access import Credentials, access_of
from aipower.fleet.client import Client
from aipower.fleet.find import Asked, find_job, find_user
from aipower.fleet.growth import Reader, Window
from aipower.fleet.jobreport import job_report
from aipower.fleet.names import USER_ENERGY
from aipower.fleet.nodes import Labelling
from aipower.fleet.record import Report
from aipower.fleet.selectors import any_of, literal, matcher, quoted
from aipower.fleet.summary import Summary, summary_of
from aipower.fleet.userreport import user_report
from aipower.record.page import Page, lay_out
from aipower.runrecord import RunRecord
from aipower.runs.output import STANDARD_OUTPUT, colours, glyphs, note, say, width_of, write_file
from aipower.runs.words import DAY_S, size

JOB_SINCE_S, SINCE_S = 30 * DAY_S, DAY_S
"""How far back a job is looked for, and what a user and everything is reported of, unless told otherwise."""

Show = Callable[[RunRecord], None]
Write = Callable[[RunRecord, str, str], None]


def run_fleet_report(arguments: argparse.Namespace, write: Write, show: Show) -> int:
    """Print or write what was asked for; 0. `write` and `show` are those of local runs.

    Raises:
        UsageError: The options do not fit, or no such job or user is there.
        AipowerError: The engine cannot be asked, or what was asked for cannot be written.
    """
    reader, asked, window = _asked(arguments)
    if asked.job:
        _hand_out(arguments, job_report(reader, asked, find_job(reader, asked, window), window), write, show)
    elif asked.user:
        find_user(reader, asked, USER_ENERGY, window)
        _hand_out(arguments, user_report(reader, asked, window), write, show)
    else:
        _hand_out_summary(arguments, summary_of(reader, asked, window))
    return 0


def _asked(arguments: argparse.Namespace) -> tuple[Reader, Asked, Window]:
    if arguments.job and arguments.user:
        raise UsageError("--job and --user do not go together: a job has its users in it")
    if not (arguments.job or arguments.user) and arguments.html is not None:
        raise UsageError("--html makes the page of one --job or one --user; a summary has --json and --csv")
    now_s = time.time()
    until_s = now_s if arguments.until is None else arguments.until
    back_s = JOB_SINCE_S if arguments.job else SINCE_S
    since_s = until_s - back_s if arguments.since is None else arguments.since
    if not since_s < until_s:
        raise UsageError("--since must be before --until")
    credentials = Credentials(arguments.header, arguments.password_file, arguments.bearer_file)
    access = access_of(arguments.prometheus, credentials, os.environ, arguments.timeout)
    labelling = Labelling(arguments.node_label, arguments.cluster_label)
    targets = [matcher(text) for text in arguments.match]
    if arguments.node:
        targets.append(_nodes(arguments.node, arguments.node_label))
    asked = Asked(arguments.job or "", arguments.user or "", arguments.system or "", tuple(targets))
    return Reader(Client(access), labelling), asked, Window(since_s, min(until_s, now_s))


def _nodes(names: list[str], label: str | None) -> str:
    """By a label of its own as it is, by `instance` with any port."""
    if label:
        return any_of(label, names)
    told = "|".join(literal(name) for name in sorted(names))
    return f"instance=~{quoted(f'(?:{told})(?::[0-9]+)?')}"


def _hand_out(arguments: argparse.Namespace, report: Report, write: Write, show: Show) -> None:
    wanted = [(kind, target) for kind in ("json", "csv", "html") if (target := getattr(arguments, kind)) is not None]
    for kind, target in wanted:
        write(report.record, kind, target)
    if not wanted:
        show(report.record)
        say("".join(f"{line}\n" for line in lay_out(report.rows, _page(arguments))))


def _hand_out_summary(arguments: argparse.Namespace, summary: Summary) -> None:
    from aipower.fleet.summaryview import render, to_csv, to_json  # noqa: PLC0415 - not for a job

    made = {"json": to_json, "csv": to_csv}
    wanted = [(kind, target) for kind in made if (target := getattr(arguments, kind)) is not None]
    for kind, target in wanted:
        count = write_file(target, [made[kind](summary)])
        if target != STANDARD_OUTPUT:
            note(f"{target}: {size(count)}")
    if not wanted:
        say(render(summary, _page(arguments)))


def _page(arguments: argparse.Namespace) -> Page:
    columns, colour = width_of(sys.stdout, os.environ), colours(sys.stdout, os.environ)
    return Page(columns or 0, color=colour, glyphs=glyphs(sys.stdout, os.environ), verbose=arguments.verbose)
