"""The report of a user over a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from aipower.fleet.find import Asked
from aipower.fleet.growth import Growth, Key, Reader, Window
from aipower.fleet.machines import ACCOUNT, began_since
from aipower.fleet.names import JOB_ENERGY, USER_ENERGY
from aipower.fleet.parts import Part
from aipower.fleet.record import Report, composed, edge_note, run_id_of, with_warnings
from aipower.fleet.scene import Place, Scene, accounts_in, edges_of, held_in, scene_of, targets_of
from aipower.fleet.selectors import Selector
from aipower.fleet.span import pace, scrapes
from aipower.merge.spread import Spread
from aipower.model import SUMMED_KINDS
from aipower.record.page import Row
from aipower.record.wording import joules, short

SHOWN_JOBS = 8
USER = ("user", "device", "kind", "index")
PACE_S = 1800.0
"""Of scrapes before the end, to tell how often they come."""


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
    scene = scene_of(reader, targets, (window, interval_s), {key[0] for key in grown}, open_end=True)
    jobs = Selector(JOB_ENERGY, targets, own)
    grown_jobs = reader.grown(jobs, window, ACCOUNT, began)
    known = accounts_in(reader, jobs, grown_jobs, scene, {})
    record = composed(reader, scene, _parts(reader, selector, grown, scene, known), jobs)
    record = replace(
        record,
        run_id=run_id_of(record, asked.user),
        command=["user", asked.user],
        metrics={**held_in(reader, targets, own, window), **record.metrics},
    )
    rows = (*_job_rows(grown_jobs), Row("note", edge_note(scene.interval_s), "dim"))
    return Report(with_warnings(record, reader), rows)


def _parts(
    reader: Reader, selector: Selector, grown: Mapping[Key, Growth], scene: Scene, known: Mapping[Place, Part]
) -> dict[Place, Part]:
    """What the user's counters tell, with the errors that the user's accounts tell."""
    less_j, more_j = edges_of(reader, selector, scene, USER)
    parts: dict[Place, Part] = {}
    for (node, words), growth in grown.items():
        place = node, words[1]
        spread = _scaled(known.get(place, Part()).spread, growth.value)
        spread = replace(spread, less_j=less_j.get(place, 0.0), more_j=more_j.get(place, 0.0))
        parts[place] = Part(spread, growth.resets, growth.based)
    return parts


def _scaled(spread: Spread, energy_j: float) -> Spread:
    """The errors of the user's accounts for what the user's counter tells: more, where accounts left unseen."""
    factor = max(1.0, energy_j / spread.energy_j) if spread.energy_j > 0 else 1.0
    scales_j = {scope: factor * value_j for scope, value_j in spread.scales_j.items()}
    return Spread(energy_j, factor * spread.own_j, scales_j=scales_j)


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
