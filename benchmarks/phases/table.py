"""The outcomes as a table in Markdown: error, coverage and width by scenario and phase."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from benchmarks.accuracy.estimates import Estimate, Outcome
from benchmarks.accuracy.score import Coverage, Score, scores

RUN = "(run)"
HEAD = (
    "| scenario | phase | of all | n | true J | error % | p95 % | bias % | held % | half-width % | /ideal |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
)


def table(outcomes: Sequence[Outcome]) -> str:
    """A line for each scenario and phase, those that are resolved and those that are not apart; then all together."""
    rows = [line for flagged in (False, True) for line in _lines(_only(outcomes, flagged=flagged), flagged=flagged)]
    rows.sort(key=lambda row: row[0])
    body = [row[1] for row in rows]
    return "\n".join([*_summary(outcomes), "", *HEAD, *body])


def _only(outcomes: Iterable[Outcome], *, flagged: bool) -> list[Outcome]:
    return [replace(one, estimates=tuple(e for e in one.estimates if e.flagged is flagged)) for one in outcomes]


def _lines(outcomes: Sequence[Outcome], *, flagged: bool) -> Iterable[tuple[tuple[int, str], str]]:
    places: dict[str, int] = {}
    truths: dict[tuple[str, str], list[float]] = {}
    for outcome in outcomes:
        places.setdefault(outcome.scenario, len(places))
        for estimate in outcome.estimates:
            truths.setdefault((outcome.scenario, estimate.subject), []).append(estimate.true_j)
    for score in scores(outcomes):
        true = sorted(truths[score.scenario, score.subject])
        yield (places[score.scenario], score.subject), _line(score, true[len(true) // 2], flagged=flagged)


def _line(score: Score, true_j: float, *, flagged: bool) -> str:
    held = score.coverage
    kind = "unresolved" if flagged else "resolved"
    count = held.count if held else 0
    return (
        f"| {score.scenario} | {score.subject} | {kind} | {count} | {true_j:.4g} | {score.mean_percent:.2f} |"
        f" {score.p95_percent:.2f} | {score.bias_percent:+.2f} | {_percent(held)} |"
        f" {score.width_percent or 0:.2f} | {score.width_ratio or 0:.2f} |"
    )


def _percent(held: Coverage | None) -> str:
    return "-" if held is None else f"{100 * held.share:.0f} +-{100 * held.error:.0f}"


def _summary(outcomes: Sequence[Outcome]) -> list[str]:
    lines = [f"{len(outcomes)} runs"]
    for flagged in (False, True):
        pooled: list[Estimate] = [
            e for one in outcomes for e in one.estimates if e.flagged is flagged and e.true_j > 0 and e.subject != RUN
        ]
        held = [low <= e.true_j <= high for e in pooled if e.repeatable_j for low, high in (e.repeatable_j,)]
        if held:
            kind = "unresolved" if flagged else "resolved"
            lines.append(f"{kind}: {100 * sum(held) / len(held):.1f} % of {len(held)} intervals held the truth")
    return lines
