"""Asks what Grafana would ask: the committed dashboards' queries, with its variables and macros filled in."""

from __future__ import annotations

import json
import math
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "config" / "grafana" / "dashboards"
UIDS = ("aipower-cluster", "aipower-who", "aipower-job", "aipower-node")
TIMEOUT_S = 60.0
HOUR_S = 3600
MAX_POINTS = 100
SECONDS = {"m": 60, "h": HOUR_S, "d": 24 * HOUR_S}
LEFT_ALONE = re.compile(r"\$1\b")
"""Of `label_replace`: Grafana leaves it, too, as no variable has that name."""


def dashboard(uid: str) -> dict[str, Any]:
    """A committed file."""
    found: dict[str, Any] = json.loads((FOLDER / f"{uid}.json").read_text(encoding="utf-8"))
    return found


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All, those in folded rows too."""
    for panel in board["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else (panel,)


def number_of(values: list[tuple[float, float]]) -> int:
    """Values that are numbers."""
    return sum(math.isfinite(value) for _, value in values)


@dataclass(frozen=True, slots=True)
class Answer:
    """One series: its labels, and pairs of time and value."""

    labels: Mapping[str, str]
    values: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Grafana:
    """A person before a dashboard, at a moment, with what they chose at its top."""

    url: str
    now_unix_s: float
    scrape_s: int = 150
    choices: Mapping[str, str] = field(default_factory=dict)
    span_s: int | None = None
    """A time range other than that of the dashboard."""

    def chosen(self, board: Mapping[str, Any]) -> dict[str, str]:
        """The value of each variable as it is put into queries: the choice, or the one that Grafana begins with."""
        values: dict[str, str] = {}
        for variable in board["templating"]["list"]:
            name = variable["name"]
            if name in self.choices:
                values[name] = self.choices[name]
            elif variable["type"] == "textbox":
                values[name] = variable["query"]
            elif variable["type"] == "query":
                values[name] = variable.get("allValue") or self._begun(variable, self.offered(board, variable, values))
        return values

    @staticmethod
    def _begun(variable: Mapping[str, Any], offered: list[tuple[str, str]]) -> str:
        """The first, or all in a list with what is special in regular expressions escaped."""
        if not variable["multi"]:
            return offered[0][1]
        values = [re.sub(r"([$^*{}\[\]'+?.()|])", r"\\\\\1", value) for _, value in offered]
        return f"({'|'.join(values)})"

    def offered(
        self, board: Mapping[str, Any], variable: Mapping[str, Any], values: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        """Text and value of what a variable lets a person choose from."""
        span_s = self._span(board["time"]["from"].removeprefix("now-"))
        query = self._filled(variable["query"]["query"], values, span_s, span_s // MAX_POINTS)
        if found := re.fullmatch(r"label_values\((.*), (\w+)\)", query):
            rows = self._ask("series", {"match[]": found[1], **self._times(span_s)})
            return [(text, text) for text in sorted({row[found[2]] for row in rows if found[2] in row})]
        found = re.fullmatch(r"query_result\((.*)\)", query, re.DOTALL)
        assert found is not None, query
        return [_parts(variable["regex"], row.labels) for row in self._instant(found[1])]

    def answers(self, board: Mapping[str, Any], panel: Mapping[str, Any]) -> Iterator[tuple[str, list[Answer]]]:
        """Each query of a panel as it was asked, and its answer."""
        span_s, step_s = self._times_of(board, panel)
        for target, expr in zip(panel["targets"], self.asked(board, panel), strict=True):
            yield expr, self._instant(expr) if target["instant"] else self._over_time(expr, span_s, step_s)

    def asked(self, board: Mapping[str, Any], panel: Mapping[str, Any]) -> list[str]:
        """The queries of a panel as Grafana would send them."""
        values, (span_s, step_s) = self.chosen(board), self._times_of(board, panel)
        return [self._filled(target["expr"], values, span_s, step_s) for target in panel["targets"]]

    def _times_of(self, board: Mapping[str, Any], panel: Mapping[str, Any]) -> tuple[int, int]:
        span_s = self._span(panel.get("timeFrom") or board["time"]["from"].removeprefix("now-"))
        coarse_s = SECONDS[panel["interval"][-1]] * int(panel["interval"][:-1]) if "interval" in panel else 1
        return span_s, max(coarse_s, span_s // MAX_POINTS, self.scrape_s)

    def marks(self, board: Mapping[str, Any], annotation: Mapping[str, Any]) -> list[Answer]:
        """The answer to the query of an annotation."""
        span_s = self._span(board["time"]["from"].removeprefix("now-"))
        expr = self._filled(annotation["expr"], self.chosen(board), span_s, self.scrape_s)
        return self._over_time(expr, span_s, self.scrape_s)

    def _span(self, text: str) -> int:
        if text == "now/d":
            return max(60, int(self.now_unix_s % SECONDS["d"]))
        if self.span_s is not None and text != "14d":
            return self.span_s
        return int(text[:-1]) * SECONDS[text[-1]]

    def _filled(self, text: str, values: Mapping[str, str], span_s: int, step_s: int) -> str:
        macros = {
            "__rate_interval": f"{max(step_s + self.scrape_s, 4 * self.scrape_s)}s",
            "__range": f"{span_s}s",
            "__interval": f"{step_s}s",
        }
        for name, value in {**macros, **values}.items():
            text = re.sub(rf"\$(?:{name}\b|\{{{name}\}})", lambda _, value=value: value, text)  # type: ignore[misc]
        assert "$" not in LEFT_ALONE.sub("", text), text
        return text

    def _instant(self, expr: str) -> list[Answer]:
        rows = self._ask("query", {"query": expr, "time": f"{self.now_unix_s}"})["result"]
        return [Answer(row["metric"], [(row["value"][0], float(row["value"][1]))]) for row in rows]

    def _over_time(self, expr: str, span_s: int, step_s: int) -> list[Answer]:
        # Grafana, too, asks at multiples of the step.
        start_s = (self.now_unix_s - span_s) // step_s * step_s
        end_s = self.now_unix_s // step_s * step_s
        asked = {"query": expr, "start": f"{start_s}", "end": f"{end_s}", "step": f"{step_s}"}
        rows = self._ask("query_range", asked)["result"]
        return [Answer(row["metric"], [(at, float(value)) for at, value in row["values"]]) for row in rows]

    def _times(self, span_s: int) -> dict[str, str]:
        return {"start": f"{self.now_unix_s - span_s}", "end": f"{self.now_unix_s}"}

    def _ask(self, kind: str, asked: Mapping[str, str]) -> Any:
        document = _got(f"{self.url}/api/v1/{kind}", asked)
        assert document["status"] == "success", f"{asked}: {document.get('error')}"
        return document["data"]


def _got(url: str, asked: Mapping[str, str]) -> Any:
    """As httpx, whose clients take ten times as long to make as the answers take to come."""
    body = urllib.parse.urlencode(asked).encode()
    try:
        with urllib.request.urlopen(url, body, timeout=TIMEOUT_S) as answer:  # noqa: S310 - http to ourselves
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        return json.load(refused)


def _parts(regex: str, labels: Mapping[str, str]) -> tuple[str, str]:
    """Text and value, as Grafana takes them from a series as text."""
    line = "{" + ",".join(f'{label}="{value}"' for label, value in sorted(labels.items())) + "} 1 0"
    found = re.search(regex.strip("/").replace("(?<", "(?P<"), line)
    assert found is not None, line
    return found["text"], found["value"]
