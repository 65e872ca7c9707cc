"""What the record and the report are to have beside the measurement, as plain words: they go to the agent as they are.

See aipower.record.extras.Words and aipower.record.page.Page.
"""

from __future__ import annotations

import os
import sys

from aipower.job.fields import job_fields
from aipower.run.console import complain, in_one_line
from aipower.run.options import SERIES_VARIABLE

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Mapping

    from aipower.job.leader import Lease
    from aipower.run.options import RunOptions
    from aipower.run.wire import Field

MAX_METRICS_BYTES = 1 << 20
_STDERR = 2


class Asked:
    """The words, and the lease by which this run counts the devices of its node: it holds as long as this lives."""

    __slots__ = ("_lease", "words")

    def __init__(self, words: dict[str, Field], lease: Lease | None) -> None:
        self.words = words
        self._lease = lease

    def release(self) -> None:
        """The record is written: another rank may count the node from now on."""
        if self._lease is not None:
            self._lease.release()


def asked(options: RunOptions, environ: Mapping[str, str]) -> Asked:
    """All of it that is known before the command starts.

    Raises:
        UsageError: The user's configuration is wrong.
    """
    job = job_fields(environ, os.uname().nodename)
    lease = _lease(job, environ)
    words: dict[str, Field] = {
        "metrics": options.metrics,
        "work": options.work,
        "job": [f"{name}={value}" for name, value in job.items()],
        "leader": lease is None or lease.leader,
        "series": environ.get(SERIES_VARIABLE, ""),
        "footprint": _footprint(environ),
        "columns": columns_of(environ),
        "color": has_color(environ),
        "glyphs": has_glyphs(environ),
        "saved": options.save,
        "verbose": options.verbose,
    }
    return Asked(words, lease)


def with_file_metrics(words: dict[str, Field], path: str) -> None:
    """Add the figures of merit that the command has written into the JSON file at `path`, if one was named."""
    if not path:
        return
    import json  # noqa: PLC0415 - hardly ever needed

    try:
        with open(path, "rb") as file:
            found = json.loads(file.read(MAX_METRICS_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        complain(f"aipower-run: --metrics-file {path}: no figures of merit: {in_one_line(error)}")
        return
    if not isinstance(found, dict):
        expected = 'expected an object, as in {"accuracy": 0.91}'
        complain(f"aipower-run: --metrics-file {path}: no figures of merit: {expected}")
        return
    pairs = [f"{name}={value!r}" for name, value in found.items() if type(value) in (int, float)]
    words["metrics"] = [*pairs, *_listed(words["metrics"])]


def columns_of(environ: Mapping[str, str]) -> int:
    """The width of the terminal that standard error is; 0 where it is none, and lines may have any length."""
    told = environ.get("COLUMNS", "")
    try:
        columns = os.get_terminal_size(_STDERR).columns
    except OSError:
        return 0
    return int(told) if told.isascii() and told.isdecimal() and int(told[:9]) > 0 else columns


def has_color(environ: Mapping[str, str]) -> bool:
    """True for a terminal that knows colours and a user who wants them (no-color.org)."""
    plain = environ.get("TERM", "dumb") in ("dumb", "") or environ.get("NO_COLOR", "") != ""
    return not plain and _is_terminal()


def has_glyphs(environ: Mapping[str, str]) -> bool:
    """True where block characters can be shown."""
    encoding = (getattr(sys.stderr, "encoding", "") or "").lower().replace("-", "")
    return encoding == "utf8" and environ.get("TERM", "") not in ("dumb", "linux")


def _is_terminal() -> bool:
    try:
        return os.isatty(_STDERR)
    except OSError:
        return False


def _listed(value: Field) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []


def _lease(job: Mapping[str, str], environ: Mapping[str, str]) -> Lease | None:
    """Whether the whole devices of this node are counted by this run of the job; None where it is of none."""
    if not job:
        return None
    from aipower.job.leader import elect, election_key, runtime_dir  # noqa: PLC0415 - only a rank of a job needs it

    lease = elect(election_key(job), runtime_dir(environ), job.get("local_rank", ""))
    if lease.note:
        complain(f"aipower-run: {lease.note}")
    return lease


def _footprint(environ: Mapping[str, str]) -> list[str]:
    """What the user has configured of price and place."""
    from aipower.footprint.places import config_file  # noqa: PLC0415 - together with what it is for

    if config_file(environ, environ.get("HOME", "")) is None:
        return []
    from aipower.footprint.settings import load_footprint, to_fields  # noqa: PLC0415 - only who has configured it

    return [f"{name}={value}" for name, value in to_fields(load_footprint(environ, environ.get("HOME", ""))).items()]
