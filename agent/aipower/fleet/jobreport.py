"""The report of a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from aipower.fleet import faultlines
from aipower.fleet.ends import Ends, ends_of
from aipower.fleet.find import Asked, Job
from aipower.fleet.growth import Reader, Window
from aipower.fleet.machines import ACCOUNT
from aipower.fleet.names import JOB_ENERGY, JOB_INFO
from aipower.fleet.nodes import Node
from aipower.fleet.processes import processes_of
from aipower.fleet.record import Report, composed, edge_note, run_id_of, with_warnings
from aipower.fleet.scene import Own, Scene, accounts_in, held_in, scene_of, targets_of
from aipower.fleet.selectors import Selector
from aipower.fleet.span import JobSpan, span_of
from aipower.fleet.troubles import EngineError
from aipower.record.page import Row
from aipower.runrecord import JobRecord, RunRecord

FACTS = ("name", "team", "account", "partition", "namespace", "pod")


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
    scene = scene_of(reader, targets, (span.window, span.interval_s), span.first_s, open_end=bool(ends.running))
    record = _named(reader, scene, job, _energies(reader, scene, own, ends), own)
    record = replace(
        record,
        faults=[*faultlines.cut_off(ends, scene.window, scene.shown), *record.faults],
        complete=record.complete and not ends.cut_s,
    )
    notes = (Row("note", text, "dim") for text in _notes(span, ends, window, scene.shown))
    return Report(with_warnings(record, reader), tuple(notes))


def _energies(reader: Reader, scene: Scene, own: Own, ends: Ends) -> RunRecord:
    selector = Selector(JOB_ENERGY, scene.targets, own)
    grown = reader.grown(selector, scene.window, ACCOUNT, lambda _: True)
    parts = accounts_in(reader, selector, grown, scene, ends.more_j)
    steps = {words[2] for _, words in grown}
    job = JobRecord("", "", "", next(iter(steps)) if len(steps) == 1 else "")
    return replace(composed(reader, scene, parts, selector), job=job)


def _named(reader: Reader, scene: Scene, job: Job, record: RunRecord, own: Own) -> RunRecord:
    """The record with all that tells whose it is."""
    facts = _facts(reader, scene, own)
    return replace(
        record,
        run_id=run_id_of(record, job.system, job.id),
        name=facts.get("name") or facts.get("pod", ""),
        command=[job.system, "job", job.id],
        processes=processes_of(reader, scene.targets, own, scene.window, scene.shown),
        metrics={**held_in(reader, scene.targets, own, scene.window), **record.metrics},
        job=JobRecord(
            job.system,
            job.id,
            "" if len(scene.shown) > 1 else record.host,
            record.job.step if record.job else "",
            variables={name: value for name, value in facts.items() if value},
        ),
    )


def _facts(reader: Reader, scene: Scene, own: Own) -> dict[str, str]:
    """What the job says of itself; what a later word adds to an empty one counts."""
    selector = Selector(JOB_INFO, scene.targets, own)
    found: dict[str, str] = {}
    for _, words in sorted(reader.over("last_over_time", selector, scene.window, FACTS)):
        for name, value in zip(FACTS, words, strict=True):
            found[name] = found.get(name) or value
    return found


def _notes(span: JobSpan, ends: Ends, window: Window, shown: Mapping[Node, str]) -> Iterable[str]:
    yield edge_note(span.interval_s)
    if span.window.start_s <= window.start_s:
        yield "it ran before --since already; what it used then is left out"
    if ends.running:
        names = sorted(shown[node] for node in ends.running)
        on = "" if len(names) == len(shown) else f" on {', '.join(names)}"
        yield f"it still runs{on}: these are the figures of the last scrape"
