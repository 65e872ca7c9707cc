"""The rules as they are in `config/prometheus`, and what their tests say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "config" / "prometheus"
DOCS = Path(__file__).parents[2] / "docs" / "prometheus.md"
RECORDING = ("aipower.rules.yml", "compat-dcgm.rules.yml", "compat-kepler.rules.yml")
ALERTS = "aipower.alerts.yml"
BUDGETS = "budgets.example.yml"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a file."""

    file: str
    name: str
    """What it records, or the name of the alert."""
    expr: str
    wait: str
    """For how long an alert's condition must hold."""
    labels: dict[str, str]


def rules(*files: str) -> list[Rule]:
    """All rules of `files`, in their order."""
    return [
        Rule(file, row.get("record") or row["alert"], row["expr"], row.get("for", ""), row.get("labels", {}))
        for file in files
        for group in _read(FOLDER / file)["groups"]
        for row in group["rules"]
    ]


def cases() -> Iterator[tuple[str, bool]]:
    """What the tests for promtool ask for: an expression or an alert, and whether anything is expected of it."""
    for path in sorted((FOLDER / "tests").glob("*.test.yml")):
        for test in _read(path)["tests"]:
            for case in test.get("promql_expr_test", ()):
                yield case["expr"], bool(case["exp_samples"])
            for case in test.get("alert_rule_test", ()):
                yield case["alertname"], bool(case["exp_alerts"])


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
