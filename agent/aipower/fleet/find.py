"""Which job is meant: by its id, its beginning, or a name, in one cluster and one system."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from aipower.errors import UsageError
from aipower.fleet.growth import EDGE_S, Reader, Window
from aipower.fleet.names import EXPORTED, JOB_ENERGY, JOB_INFO
from aipower.fleet.nodes import own_of
from aipower.fleet.selectors import Selector, by_target
from aipower.runs.words import span

LEAST_PREFIX = 8
"""Characters of a container's or a pod's id that may stand for all of it."""
SHOWN = 4
NAMES = ("name", "pod")


class Asked(Struct, frozen=True):
    """What is to be reported."""

    job: str = ""
    user: str = ""
    system: str = ""
    targets: tuple[str, ...] = ()
    """Matchers of targets."""

    def own(self, **more: str) -> tuple[tuple[str, str], ...]:
        """Values of aipower's own labels."""
        system = {"system": self.system} if self.system else {}
        return tuple({**system, **more}.items())


class Job(Struct, frozen=True):
    """A job that is there."""

    system: str
    id: str


def find_job(reader: Reader, asked: Asked, window: Window) -> Job:
    """The job that is meant.

    Raises:
        UsageError: There is none, or several; the message says which there are.
    """
    rows = _of_id(reader, asked, asked.job, window)
    if not rows:
        every = _ids(reader, asked, window)
        named = _named(reader, asked, window)
        begun = [one for one in every if one.startswith(asked.job)] if len(asked.job) >= LEAST_PREFIX else []
        meant = sorted({*named, *begun})
        if len(meant) > 1:
            raise UsageError(f"--job {asked.job}: several are called so: {_some(meant)}; name one by its id")
        if not meant:
            raise UsageError(_unknown(reader, asked, window, every))
        rows = _of_id(reader, asked, meant[0], window)
    if not rows:
        raise UsageError(_unknown(reader, asked, window, ()))
    return _one(reader, asked, rows)


def _of_id(reader: Reader, asked: Asked, job: str, window: Window) -> list[Mapping[str, str]]:
    """Labels of the job's series."""
    selector = Selector(JOB_ENERGY, asked.targets, asked.own(job=job))
    query = selector.over("last_over_time", window.span_s - EDGE_S)
    return [series.labels for series in reader.client.instant(query, window.end_s)]


def _one(reader: Reader, asked: Asked, rows: Sequence[Mapping[str, str]]) -> Job:
    label = reader.labelling.cluster
    clusters = sorted({labels.get(label, "") for labels in rows})
    if len(clusters) > 1:
        raise UsageError(
            f"--job {asked.job} is in several clusters ({_some(clusters)}); name one by"
            f" --match '{label}=\"{clusters[-1]}\"'"
        )
    own = [own_of(labels) for labels in rows]
    systems = sorted({labels.get("system", "") for labels in own})
    if len(systems) > 1:
        raise UsageError(
            f"--job {asked.job} is in several systems ({_some(systems)}); name one by --system {systems[-1]}"
        )
    return Job(systems[0], own[0].get("job", ""))


def _ids(reader: Reader, asked: Asked, window: Window) -> list[str]:
    """Ids of all jobs in the window."""
    match = Selector(JOB_ENERGY, asked.targets, asked.own()).texts()
    found: set[str] = set()
    # Where Prometheus has renamed the label, `job` is what it calls its scrapes.
    for label in (f"{EXPORTED}job", "job"):
        found = set(reader.client.values(label, match, window.start_s, window.end_s))
        if found:
            break
    return sorted(found)


def _named(reader: Reader, asked: Asked, window: Window) -> set[str]:
    """Ids of jobs that have this name, and of pods."""
    found: set[str] = set()
    for label in NAMES:
        for name in (label, f"{EXPORTED}{label}"):
            selector = Selector(JOB_INFO, asked.targets, asked.own(**{name: asked.job}))
            query = selector.over("last_over_time", window.span_s - EDGE_S)
            labelled = (own_of(series.labels) for series in reader.client.instant(query, window.end_s))
            found.update(own["job"] for own in labelled if own.get(label) == asked.job and own.get("job"))
    return found


def _unknown(reader: Reader, asked: Asked, window: Window, every: Sequence[str]) -> str:
    where = f"of {asked.system} " if asked.system else ""
    told = f"--job {asked.job}: no such job {where}in {span(window.span_s)} at {reader.client.url}"
    near = difflib.get_close_matches(asked.job, every, n=SHOWN, cutoff=0.5)
    if near:
        return f"{told}; near: {', '.join(near)}"
    if every:
        return f"{told}; --since looks further back"
    return f"{told}; no job of aipower's is there at all: is it the right server, and does it scrape the agents?"


def find_user(reader: Reader, asked: Asked, metric: str, window: Window) -> None:
    """Nothing, where the user is known.

    Raises:
        UsageError: Nobody of this name has used anything.
    """
    query = by_target(
        "count", Selector(metric, asked.targets, (("user", asked.user),)).over("last_over_time", window.span_s)
    )
    if reader.client.instant(query, window.end_s):
        return
    every = reader.client.values("user", Selector(metric, asked.targets).texts(), window.start_s, window.end_s)
    near = difflib.get_close_matches(asked.user, every, n=SHOWN, cutoff=0.5)
    ids = bool(every) and all(one.isdecimal() for one in every)
    hint = f"; near: {', '.join(near)}" if near else "; users are told by their uid there" if ids else ""
    told = f"--user {asked.user}: no such user in {span(window.span_s)} at {reader.client.url}"
    raise UsageError(f"{told}{hint or '; --since looks further back'}")


def _some(words: Iterable[str]) -> str:
    every = [word or "(none)" for word in words]
    rest = len(every) - SHOWN
    return ", ".join(every[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
