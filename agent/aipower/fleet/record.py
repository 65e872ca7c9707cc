"""A record of a run, schema `aipower.run/1`, of a job or a user of a whole cluster."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from aipower import __version__
from aipower.fleet import faultlines
from aipower.fleet.curves import Curve, Steps, curves_of, steps_of
from aipower.fleet.ends import Ends, ends_of
from aipower.fleet.find import Asked, Job
from aipower.fleet.growth import Growth, Key, Reader, Window
from aipower.fleet.names import (
    DEVICE_ENERGY,
    JOB_ENERGY,
    JOB_ERROR,
    JOB_HELD,
    JOB_INFO,
    JOB_UNUSED,
    USER_ENERGY,
)
from aipower.fleet.nodes import Node, shown_names
from aipower.fleet.parts import ACCOUNT, Machines, Part, accounts_of, began_since, machines, parts_of
from aipower.fleet.processes import processes_of
from aipower.fleet.reached import Contact, contacts, downs, silent_since
from aipower.fleet.selectors import Selector, any_of
from aipower.fleet.span import JobSpan, pace, scrapes, span_of
from aipower.fleet.troubles import EngineError
from aipower.merge.devices import Account
from aipower.merge.spread import Spread
from aipower.merge.sums import of_devices
from aipower.merge.views import Naming
from aipower.model import SUMMED_KINDS
from aipower.record.page import Row
from aipower.record.wording import joules, short
from aipower.runrecord import (
    Energies,
    FaultLine,
    Intervals,
    JobRecord,
    NodeRecord,
    PowerSeries,
    ProcessRecord,
    RunRecord,
)

MEASURED_BY = "prometheus"
SHOWN_HOSTS = 4
SHOWN_JOBS = 8
MOST_INSTANCES = 400
"""Of which each is named in a query; more are picked out here."""
USER = ("user", "device", "kind", "index")
FACTS = ("name", "team", "account", "partition", "namespace", "pod")
LEAST_COVERED = 0.95
SIMULATED = "simulated"
"""The driver of sensors that are none."""
PACE_S = 1800.0


@dataclass(frozen=True, slots=True)
class Report:
    """A record, and what a terminal is told beside it."""

    record: RunRecord
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class _Scene:
    """Everything that was found in a window."""

    window: Window
    interval_s: float
    targets: tuple[str, ...]
    contacts: Mapping[Node, Contact]
    machines: Machines
    shown: Mapping[Node, str]
    """The nodes that matter, and what they are called."""


def job_report(reader: Reader, asked: Asked, job: Job, window: Window) -> Report:
    """Of a job.

    Raises:
        EngineError: The engine refuses.
    """
    own = (("system", job.system), ("job", job.id))
    selector = Selector(JOB_ENERGY, asked.targets, own)
    targets = targets_of(reader, selector, asked.targets, window)
    span = span_of(reader, selector, targets, window)
    if span is None:
        raise EngineError(f"--job {job.id}: {reader.client.url} has its series, but no sample of them; try again")
    ends = ends_of(reader, targets, span, window.end_s)
    scene = _scene(reader, targets, (span.window, span.interval_s), span.first_s, open_end=bool(ends.running))
    grown = reader.grown(selector, scene.window, ACCOUNT, lambda _: True)
    parts = _parts(reader, selector, own, grown, scene, ends.more_j)
    record = _composed(reader, scene, parts, Selector(JOB_ENERGY, targets, own))
    facts = _facts(reader, targets, own, scene.window)
    record = replace(
        record,
        run_id=_run_id(record.started_unix_s, reader.client.url, f"{job.system}/{job.id}"),
        name=facts.get("name") or facts.get("pod", ""),
        command=[job.system, "job", job.id],
        processes=processes_of(reader, targets, own, scene.window, scene.shown),
        faults=[*faultlines.cut_off(ends, scene.window, scene.shown), *record.faults],
        complete=record.complete and not ends.cut_s,
        metrics={**_held(reader, targets, own, scene.window), **record.metrics},
        job=JobRecord(
            job.system,
            job.id,
            "" if len(scene.shown) > 1 else record.host,
            _only({words[2] for _, words in grown}),
            variables={name: value for name, value in facts.items() if value},
        ),
    )
    notes = (Row("note", text, "dim") for text in _job_notes(span, ends, window, scene.shown))
    return Report(_with_warnings(record, reader), tuple(notes))


def user_report(reader: Reader, asked: Asked, window: Window) -> Report:
    """Of a user, over a time.

    Raises:
        EngineError: The engine refuses.
    """
    own = (("user", asked.user),)
    selector = Selector(USER_ENERGY, asked.targets, own)
    targets = targets_of(reader, selector, asked.targets, window)
    interval_s = pace(scrapes(reader, targets, Window(window.end_s - PACE_S, window.end_s)))
    began = began_since(reader, targets, window)
    grown = reader.grown(selector, window, USER, began)
    scene = _scene(reader, targets, (window, interval_s), {key[0] for key in grown}, open_end=True)
    jobs = Selector(JOB_ENERGY, targets, own)
    grown_jobs = reader.grown(jobs, window, ACCOUNT, began)
    halves = _parts(reader, jobs, own, grown_jobs, scene, {})
    less_j, more_j = _edges(reader, selector, scene, USER)
    parts: dict[tuple[Node, str], Part] = {}
    for (node, words), growth in grown.items():
        known = halves.get((node, words[1]), Part()).spread
        spread = _scaled(known, growth.value)
        spread = replace(spread, less_j=less_j.get((node, words[1]), 0.0), more_j=more_j.get((node, words[1]), 0.0))
        parts[node, words[1]] = Part(spread, growth.resets, growth.based)
    record = _composed(reader, scene, parts, jobs)
    record = replace(
        record,
        run_id=_run_id(window.start_s, reader.client.url, f"{asked.user}/{window.end_s}"),
        command=["user", asked.user],
        metrics={**_held(reader, targets, own, window), **record.metrics},
    )
    rows = (*_job_rows(grown_jobs), Row("note", _edge_note(scene.interval_s), "dim"))
    return Report(_with_warnings(record, reader), rows)


def targets_of(reader: Reader, selector: Selector, told: Sequence[str], window: Window) -> tuple[str, ...]:
    """Matchers for the agents that have these series, beside those that were told."""
    found = reader.client.instant(selector.over("last_over_time", window.span_s), window.end_s)
    instances = {series.labels.get("instance", "") for series in found}
    if "" in instances or not instances or len(instances) > MOST_INSTANCES:
        return tuple(told)
    return (*told, any_of("instance", instances))


def _scene(
    reader: Reader, targets: tuple[str, ...], span: tuple[Window, float], nodes: Iterable[Node], *, open_end: bool
) -> _Scene:
    window, interval_s = span
    return _Scene(
        window,
        interval_s,
        targets,
        contacts(reader, targets, window, interval_s),
        machines(reader, targets, window, interval_s, open_end=open_end),
        shown_names(nodes),
    )


def _parts(
    reader: Reader,
    selector: Selector,
    own: tuple[tuple[str, str], ...],
    grown: Mapping[Key, Growth],
    scene: _Scene,
    lost_j: Mapping[tuple[Node, str], float],
) -> dict[tuple[Node, str], Part]:
    """The accounts of a selector by node and device, with their errors."""
    halves_j = reader.over("last_over_time", Selector(JOB_ERROR, scene.targets, own), scene.window, ACCOUNT)
    less_j, more_j = _edges(reader, selector, scene, ACCOUNT)
    for key, value_j in lost_j.items():
        more_j[key] = more_j.get(key, 0.0) + value_j
    parts = parts_of(grown, halves_j, more_j)
    return {
        key: replace(part, spread=replace(part.spread, less_j=less_j.get(key, 0.0))) for key, part in parts.items()
    }


def _edges(
    reader: Reader, selector: Selector, scene: _Scene, labels: Sequence[str]
) -> tuple[dict[tuple[Node, str], float], dict[tuple[Node, str], float]]:
    """By node and device: what was used in the first interval and may lie before, what in the one after the end."""
    window, interval_s = scene.window, scene.interval_s
    moments = (window.start_s, window.start_s + interval_s, window.end_s, window.end_s + interval_s)
    first, second, last, beyond = (reader.at(selector, at_s, labels) for at_s in moments)
    place = list(labels).index("device")
    return _by_device(first, second, place), _by_device(last, beyond, place)


def _by_device(sooner: Mapping[Key, float], later: Mapping[Key, float], place: int) -> dict[tuple[Node, str], float]:
    found: dict[tuple[Node, str], float] = {}
    for (node, words), value in later.items():
        before = sooner.get((node, words))
        if before is not None:
            found[node, words[place]] = found.get((node, words[place]), 0.0) + max(0.0, value - before)
    return found


def _scaled(spread: Spread, energy_j: float) -> Spread:
    """The errors of the user's accounts for what the user's counter tells: more, where accounts left unseen."""
    factor = max(1.0, energy_j / spread.energy_j) if spread.energy_j > 0 else 1.0
    scales_j = {scope: factor * value_j for scope, value_j in spread.scales_j.items()}
    return Spread(energy_j, factor * spread.own_j, scales_j=scales_j)


def _composed(reader: Reader, scene: _Scene, parts: Mapping[tuple[Node, str], Part], own: Selector) -> RunRecord:
    """All but who it is about."""
    window = scene.window
    silent = {
        n: at_s for n, at_s in silent_since(scene.contacts, window.end_s, scene.interval_s).items() if n in scene.shown
    }
    pairs = accounts_of(scene.machines, parts, _covered(scene), scene.shown, scene.interval_s)
    accounts = [account for _, account in pairs]
    energy_j, interval_j, repeatable_j = of_devices(accounts)
    covered = all(one.record.covered_s >= LEAST_COVERED * window.span_s for one in accounts)
    names = sorted(scene.shown.values())
    drivers = [driver for (node, _), (_, _, driver) in scene.machines.info.items() if node in scene.shown]
    return RunRecord(
        run_id="",
        name="",
        command=[],
        exit_code=0,
        started_unix_s=window.start_s,
        wall_s=window.span_s,
        host=", ".join(names) if len(names) <= SHOWN_HOSTS else f"{len(names)} nodes",
        energy_j=energy_j,
        interval_j=interval_j,
        repeatable_interval_j=repeatable_j,
        estimated_j=Energies(),
        estimated_interval_j=Intervals(),
        devices=[account.record for account in accounts],
        processes=list[ProcessRecord](),
        faults=[
            *faultlines.silent(silent, window, scene.shown),
            *faultlines.holes(scene.contacts, window, scene.shown),
            *faultlines.flaws(accounts, window.span_s),
            *faultlines.told(reader, scene.targets, window, scene.shown),
        ],
        not_measured=faultlines.not_measured(reader, scene.targets, window, scene.shown),
        cpu_time_s=0.0,
        max_rss_bytes=0,
        surviving_processes=0,
        complete=covered and not silent and not any(account.flaws for account in accounts),
        simulated=bool(drivers) and all(driver == SIMULATED for driver in drivers),
        version=__version__,
        measured_by=MEASURED_BY,
        metrics={"resolution_s": scene.interval_s},
        power=_power(reader, scene, own),
        nodes=_node_rows(pairs, scene.shown),
    )


def _covered(scene: _Scene) -> dict[Node, float]:
    """For how long of the window each node's energy is known: across holes, from the first scrape to the last."""
    found: dict[Node, float] = {}
    for node, contact in scene.contacts.items():
        last_s = contact.last_until(scene.window.end_s)
        if last_s is not None and contact.times_s:
            first_s = max(scene.window.start_s, contact.times_s[0])
            found[node] = max(0.0, last_s - first_s)
    return found


def _node_rows(pairs: Sequence[tuple[Node, Account]], shown: Mapping[Node, str]) -> list[NodeRecord]:
    rows: list[NodeRecord] = []
    for node, name in sorted(shown.items(), key=lambda item: item[1]):
        energy_j, interval_j, _ = of_devices(account for one, account in pairs if one == node)
        rows.append(NodeRecord(name, [], [], energy_j, interval_j))
    return rows


def _power(reader: Reader, scene: _Scene, own: Selector) -> list[PowerSeries]:
    """Of the devices that have a row, and the part that is asked for."""
    naming = Naming(len(scene.shown) > 1)
    ours = [(node, words[0]) for node, words in scene.machines.energy if node in scene.shown]
    steps = steps_of(scene.window, scene.interval_s, len(ours))
    failed = any(up < 1 for (node, _), up in scene.machines.up.items() if node in scene.shown)
    dark = downs(reader, scene.targets, scene.window, scene.interval_s) if failed else {}
    wholes = curves_of(reader, Selector(DEVICE_ENERGY, scene.targets), steps, scene.contacts, dark)
    parts = curves_of(reader, own, steps, scene.contacts, dark)
    return [
        PowerSeries(
            naming.device(scene.shown[node], device),
            steps.step_s,
            whole,
            _own_curve(whole, parts.get((node, device)), steps),
        )
        for node, device in sorted(ours, key=lambda one: (scene.shown[one[0]], one[1]))
        if (whole := wholes.get((node, device))) is not None
    ]


def _own_curve(whole: Curve, part: Curve | None, steps: Steps) -> Curve:
    known: Sequence[float | None] = part or [0.0] * steps.count
    return [None if all_w is None else min(all_w, own_w or 0.0) for all_w, own_w in zip(whole, known, strict=True)]


def _held(
    reader: Reader, targets: tuple[str, ...], own: tuple[tuple[str, str], ...], window: Window
) -> dict[str, float]:
    """Seconds for which GPUs were held, and of these unused, summed over the GPUs."""
    held, unused = (
        sum(
            one.value for one in reader.grown(Selector(metric, targets, own), window, ACCOUNT, lambda _: True).values()
        )
        for metric in (JOB_HELD, JOB_UNUSED)
    )
    return {"gpu_held_s": held, "gpu_unused_s": unused} if held > 0 else {}


def _facts(
    reader: Reader, targets: tuple[str, ...], own: tuple[tuple[str, str], ...], window: Window
) -> dict[str, str]:
    """What the job says of itself; what a later word adds to an empty one counts."""
    found: dict[str, str] = {}
    for _, words in sorted(reader.over("last_over_time", Selector(JOB_INFO, targets, own), window, FACTS)):
        for name, value in zip(FACTS, words, strict=True):
            found[name] = found.get(name) or value
    return found


def _with_warnings(record: RunRecord, reader: Reader) -> RunRecord:
    lines: list[FaultLine] = list(faultlines.engine(reader.client.warnings, record.wall_s))
    return replace(record, faults=[*lines, *record.faults], complete=record.complete and not lines)


def _job_notes(span: JobSpan, ends: Ends, window: Window, shown: Mapping[Node, str]) -> list[str]:
    notes = [_edge_note(span.interval_s)]
    if span.window.start_s <= window.start_s:
        notes.append("it ran before --since already; what it used then is left out")
    if ends.running:
        on = (
            "" if len(ends.running) == len(shown) else f" on {', '.join(sorted(shown[node] for node in ends.running))}"
        )
        notes.append(f"it still runs{on}: these are the figures of the last scrape")
    return notes


def _job_rows(grown: Mapping[Key, Growth]) -> Iterable[Row]:
    """What a user's jobs used, the largest first."""
    found: dict[tuple[str, str], float] = {}
    for (_, words), growth in grown.items():
        if words[5] in SUMMED_KINDS:
            found[words[0], words[1]] = found.get((words[0], words[1]), 0.0) + growth.value
    ranked = sorted(((energy_j, who) for who, energy_j in found.items() if energy_j > 0), reverse=True)
    for at, (energy_j, (system, job)) in enumerate(ranked[:SHOWN_JOBS]):
        what = f"{system} {short(job, 40)}" if job else "in no job"
        yield Row("jobs" if at == 0 else "", f"{joules(energy_j):>9}  {what}")
    if len(ranked) > SHOWN_JOBS:
        yield Row("", f"and {len(ranked) - SHOWN_JOBS} more jobs", "dim")


def _edge_note(interval_s: float) -> str:
    return f"scraped every {interval_s:g} s: start and end are known to within that"


def _only(words: set[str]) -> str:
    return next(iter(words)) if len(words) == 1 else ""


def _run_id(started_s: float, *about: str) -> str:
    """Of the same report always the same."""
    digest = hashlib.sha256("\n".join(about).encode()).hexdigest()
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(started_s))}-{digest[:8]}"
