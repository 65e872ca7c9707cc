"""The whole comparison, from records to result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from aipower.compare.caveats import (
    TITLES,
    kinds_warnings,
    listed,
    obstacles,
    pair_warnings,
    side_warnings,
    work_warnings,
)
from aipower.compare.contrast import (
    Contrast,
    SideReader,
    contrast,
    difference,
    geometric,
    measured,
    needed,
    spread_percent,
)
from aipower.compare.drift import drift_of
from aipower.compare.judge import sentence_of, verdict_of
from aipower.compare.merits import check_directions, merits_of
from aipower.compare.model import Comparison, Difference, Merit, Pair, Question, Side, Summary, Verdict
from aipower.compare.reading import (
    KINDS,
    Reader,
    amounts,
    device_key,
    devices_reader,
    energy_reader,
    kinds_of,
    per_unit,
    used,
    wall_time,
)
from aipower.errors import UsageError
from aipower.runrecord import CRUMB
from aipower.statistics.means import CONFIDENCE

ENERGY, WHOLE = "energy", "whole devices"
SAME_AMOUNT = 1e-3
"""Amounts of work that differ by less are the same work."""


class Plan(Struct, frozen=True):
    """What is compared, the same for all sides."""

    kinds: tuple[str, ...]
    """Those that all runs have measured."""
    per: str
    """A unit of work; empty for whole runs."""
    what: str
    """In words: `energy per token`."""
    said: frozenset[str]
    """Rows that would say the same again."""
    unit: str
    read: SideReader
    confidence: float

    def find(self, base: Side, other: Side) -> Contrast | None:
        """What the verdict rests on."""
        return contrast(base, other, self.read, self.confidence)


def compare(sides: Sequence[Side], question: Question | None = None) -> Comparison:
    """Each side against the first.

    With several, the intervals of the verdicts hold together: 1 - 0.05 / number each (Bonferroni).

    Raises:
        UsageError: Not all runs have done work in the unit that was asked for, or none has a figure of merit that was.
    """
    question = question or Question()
    check_directions(sides, question.directions)
    plan = _plan(sides, question)
    base = sides[0]
    pairs = [_pair(base, other, plan, question) for other in sides[1:]]
    return Comparison(
        baseline=_summary(base, plan),
        quantity=_title(plan, question),
        pairs=sorted(pairs, key=lambda pair: pair.headline.percent if pair.headline else float("inf")),
        at_least_percent=question.at_least_percent,
        simulated=any(record.simulated for one in sides for record in one.runs),
        warnings=_warnings(sides, plan, question),
    )


def judge(sides: Sequence[Side], question: Question | None = None) -> list[tuple[Verdict, Difference | None]]:
    """The verdicts alone, in the order of the sides, with what they rest on.

    Raises:
        UsageError: As by `compare`.
    """
    question = question or Question()
    plan = _plan(sides, question)
    return [_judged(sides[0], other, plan, question, plan.find(sides[0], other)) for other in sides[1:]]


def _judged(
    base: Side, other: Side, plan: Plan, question: Question, found: Contrast | None
) -> tuple[Verdict, Difference | None]:
    headline = difference(plan.what, plan.unit, found) if found is not None else None
    return verdict_of(headline, obstacles(base, other), question.at_least_percent), headline


def _plan(sides: Sequence[Side], question: Question) -> Plan:
    kinds = _common_kinds(sides, question)
    per = _per(sides, question)
    read = _whole_devices if question.of == "devices" else _same(energy_reader(kinds))
    what = f"{TITLES[question.of]} {ENERGY}" if question.of in KINDS else ENERGY
    said = {what, *(f"{TITLES[kind]} {ENERGY}" for kind in kinds if len(kinds) == 1)}
    if question.of == "devices":
        what, said = f"{ENERGY} of {WHOLE}", {WHOLE}
    return Plan(
        kinds=kinds,
        per=per,
        what=f"{what} per {_singular(per)}" if per else what,
        said=frozenset() if per else frozenset(said),
        unit=f"J/{_singular(per)}" if per else "J",
        read=_divided(read, per) if per else read,
        confidence=1 - (1 - CONFIDENCE) / max(1, len(sides) - 1),
    )


def _common_kinds(sides: Sequence[Side], question: Question) -> tuple[str, ...]:
    wanted = (question.of,) if question.of in KINDS else KINDS
    records = [record for one in sides for record in one.runs]
    return tuple(kind for kind in wanted if all(kind in kinds_of(record.energy_j) for record in records))


def _per(sides: Sequence[Side], question: Question) -> str:
    """The unit that was asked for, or the first of which the runs did different amounts.

    Raises:
        UsageError: Not all runs did work in the unit that was asked for.
    """
    works = [amounts(record) for one in sides for record in one.runs]
    common = [unit for unit in works[0] if all(work.get(unit, 0.0) > 0 for work in works)]
    if question.per:
        if question.per not in common:
            known = f"; all have {', '.join(common)}" if common else ""
            raise UsageError(f"not all runs say how many {question.per} they did{known}; see aipower-run --per")
        return question.per
    if question.per == "":
        return ""
    return next((unit for unit in common if _differ([work[unit] for work in works])), "")


def _differ(found: Sequence[float]) -> bool:
    return max(found) > (1 + SAME_AMOUNT) * min(found)


def _singular(unit: str) -> str:
    return unit[:-1] if unit.endswith("s") and not unit.endswith("ss") else unit


def _same(reader: Reader) -> SideReader:
    return lambda _: reader


def _divided(read: SideReader, unit: str) -> SideReader:
    return lambda one: per_unit(read(one), unit)


def _whole_devices(one: Side) -> Reader:
    """The devices that any of its runs has worked on."""
    rows = ((record, device) for record in one.runs for device in used(record))
    ids = {device_key(r, d) for r, d in rows if (d.run_energy_j or 0.0) > CRUMB * (d.energy_j or 0.0)}
    return devices_reader(frozenset(ids))


def _title(plan: Plan, question: Question) -> str:
    if question.of in {"devices", *KINDS} or not plan.kinds:
        return plan.what
    of = listed([TITLES[kind] for kind in plan.kinds])
    return f"{plan.what} of {of}" if not plan.per else f"{plan.what}, of {of}"


def _pair(base: Side, other: Side, plan: Plan, question: Question) -> Pair:
    found = plan.find(base, other)
    verdict, headline = _judged(base, other, plan, question, found)
    merits = merits_of(base, other, question.directions)
    names = (base.label, other.label)
    return Pair(
        other=_summary(other, plan),
        verdict=verdict,
        sentence=sentence_of(
            verdict,
            headline,
            names,
            what=plan.what,
            obstacles=obstacles(base, other),
            at_least_percent=question.at_least_percent,
            merits=merits,
        ),
        headline=headline,
        rows=list(_rows(base, other, plan)),
        merits=merits,
        repetitions=needed(found) if found is not None else {},
        warnings=[*pair_warnings(base, other), *_drift(found), *_results(verdict, merits)],
    )


def _rows(base: Side, other: Side, plan: Plan) -> Iterable[Difference]:
    """What else can be compared, without what the headline says already."""
    readers: list[tuple[str, str, SideReader]] = []
    if len(plan.kinds) > 1:
        readers.append((ENERGY, "J", _same(energy_reader(plan.kinds))))
    readers += [(f"{TITLES[kind]} {ENERGY}", "J", _same(energy_reader((kind,)))) for kind in plan.kinds]
    readers += [(WHOLE, "J", _whole_devices), ("wall time", "s", _same(wall_time))]
    for name, unit, read in readers:
        found = contrast(base, other, read) if name not in plan.said else None
        if found is not None:
            yield difference(name, unit, found)


def _summary(one: Side, plan: Plan) -> Summary:
    found = measured(one, plan.read(one))
    return Summary(
        label=one.label,
        run_ids=[record.run_id for record in one.runs],
        runs=len(one.runs),
        left_out=[f"{record.run_id}: {reason}" for record, reason in one.left_out],
        mean=geometric(found.group) if found else None,
        unit=plan.unit,
        spread_percent=spread_percent(found.group) if found else None,
    )


def _warnings(sides: Sequence[Side], plan: Plan, question: Question) -> list[str]:
    return [
        *kinds_warnings(sides, plan.kinds if question.of not in KINDS else KINDS),
        *(text for one in sides for text in side_warnings(one)),
        *work_warnings(sides, question, plan.per),
        *_trends(sides, plan),
    ]


def _trends(sides: Sequence[Side], plan: Plan) -> Iterable[str]:
    for one in sides:
        found = measured(one, plan.read(one))
        drift = drift_of(found.timed) if found else 0.0
        if drift:
            yield f"{one.label}: its runs {'rise' if drift > 0 else 'fall'} by {abs(100 * drift):.2g} % from the first"


def _drift(found: Contrast | None) -> Iterable[str]:
    if found is not None and found.found.drift:
        yield (
            f"energy seems to drift from run to run, which may make {100 * found.found.drift:.2g} % of difference and"
            " is in the interval: run both in turns, or with --cool-down"
        )


def _results(verdict: str, merits: Sequence[Merit]) -> Iterable[str]:
    """A saving is none where it costs results."""
    if verdict != "less":
        return
    if not merits:
        yield "no figure of merit was recorded: whether the results are as good is not known (aipower-run --metric)"
    elif open_ := [merit.name for merit in merits if merit.direction is None]:
        name = open_[0]
        yield f"which way is better for {' and '.join(open_)}? --higher {name} or --lower {name} judges it"
