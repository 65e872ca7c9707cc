"""The rules on another engine: VictoriaMetrics says the same of the simulated nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from fleet.fixture import Fleet
from fleet_report.engines import victoria_metrics
from rules.files import RECORDING, rules

NO_NUMBER = "DCGM_FI_DEV_FB_FREE"
"""NaN, which VictoriaMetrics leaves out."""
EXACT_FROM_0 = "instance_user:aipower_energy_joules:increase1d"
"""Its increase() counts what a series began with, and that of Prometheus does not."""


def test_all_rules_give_the_same_there(fleet: Fleet, tmp_path: Path) -> None:
    documents = (path.read_text(encoding="utf-8") for path in fleet.documents)
    with victoria_metrics(tmp_path / "vm", documents) as url:
        for rule in rules(*RECORDING):
            here = {frozenset(row.labels.items()): row.value for row in fleet.query(rule.expr)}
            there = _asked(url, rule.expr, fleet.end_unix_s)
            if rule.name == NO_NUMBER:
                assert there == {}
                continue
            assert there.keys() == here.keys(), rule.name
            assert there == pytest.approx(here, rel=5e-3 if rule.name == EXACT_FROM_0 else 1e-6, abs=1e-6), rule.name
            assert not any(math.isnan(value) for value in there.values())


def _asked(url: str, expr: str, at_unix_s: float) -> Mapping[frozenset[tuple[str, str]], float]:
    parameters = {"query": expr, "time": f"{at_unix_s:.0f}"}
    document = httpx.post(f"{url}/api/v1/query", data=parameters, timeout=60).json()
    assert document["status"] == "success", document
    return {frozenset(row["metric"].items()): float(row["value"][1]) for row in document["data"]["result"]}
