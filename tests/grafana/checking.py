"""What can be wrong with a dashboard, found in its JSON or by asking a Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aipower_exporters.metrics import METRICS
from grafana.asking import Grafana, number_of, panels

TYPES = {"stat", "timeseries", "table", "bargauge", "piechart", "state-timeline"}
"""All part of Grafana itself, none of them deprecated."""
OUTSIDE = {"vllm:generation_tokens_total", "sglang:generation_tokens_total"}
TARGET_LABELS = {"cluster", "instance", "exported_job"}
"""What Prometheus adds."""
NOT_ON_IT = {"team", "account"}
"""Matched on series without them, where it means: only while all teams or accounts are chosen."""
LABELS = {metric.name: {*metric.labels, *TARGET_LABELS, *NOT_ON_IT} for metric in METRICS}
SELECTOR = re.compile(r"\b(\w*:?aipow\w*|\w+:\w+_total)\b(?:\{([^}]*)\})?")


def questions(board: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every PromQL of a dashboard with the name of its place: panels, variables, annotations."""
    for panel in panels(board):
        yield from ((panel["title"], target["expr"]) for target in panel["targets"])
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]
    for annotation in board["annotations"]["list"]:
        if "expr" in annotation:
            yield annotation["name"], annotation["expr"]


def unknown_names(expr: str) -> list[str]:
    """Metrics that aipower does not have, and labels that they do not have."""
    found: list[str] = []
    for name, matchers in SELECTOR.findall(expr):
        if name not in LABELS and name not in OUTSIDE:
            found.append(name)
        labels = re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', matchers)
        found.extend(f"{name}: {label}" for label in labels if label not in LABELS.get(name, TARGET_LABELS))
    return found


def complaints(board: Mapping[str, Any]) -> list[str]:
    """What a look at the file alone finds."""
    shown = list(panels(board))
    folded = [panel for row in board["panels"] if row["type"] == "row" for panel in row["panels"]]
    numbers = [panel["id"] for panel in (*board["panels"], *folded)]
    found = [f"two panels with the id {number}" for number in set(numbers) if numbers.count(number) > 1]
    for panel in shown:
        found.extend(f"{panel['title']}: {text}" for text in _of_panel(panel))
    found.extend(f"{place}: no {what}" for place, expr in questions(board) for what in unknown_names(expr))
    # A folded row opens over what is below it, which moves down.
    return [*found, *_overlaps(board["panels"]), *_overlaps(folded)]


def silent(grafana: Grafana, board: Mapping[str, Any]) -> list[str]:
    """Panels with a question that gets no answer, or no number in it."""
    return [
        f"{panel['title']}: {expr}"
        for panel in panels(board)
        for expr, answers in grafana.answers(board, panel)
        if not sum(number_of(answer.values) for answer in answers)
    ]


def _of_panel(panel: Mapping[str, Any]) -> Iterator[str]:
    if panel["type"] not in TYPES:
        yield f"type {panel['type']}"
    if len(panel["description"]) < 10 or not panel["description"].endswith("."):
        yield "no description"
    if not panel["fieldConfig"]["defaults"]["unit"]:
        yield "no unit"
    if not panel["targets"]:
        yield "no query"
    if panel["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
        yield "another data source"
    if panel["type"] == "timeseries" and panel["options"]["legend"]["displayMode"] != "table":
        yield "no table as legend"
    place = panel["gridPos"]
    if place["x"] < 0 or place["x"] + place["w"] > 24 or place["w"] < 1 or place["h"] < 1:
        yield f"out of the grid: {place}"
    yield from (f"no number: {target['expr']}" for target in panel["targets"] if "NaN" in target["expr"])


def _overlaps(shown: list[dict[str, Any]]) -> list[str]:
    taken: dict[tuple[int, int], str] = {}
    found: list[str] = []
    for panel in shown:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if other := taken.get((x, y)):
                    found.append(f"{panel['title']} lies on {other}")
                taken[x, y] = panel["title"]
    return sorted(set(found))
