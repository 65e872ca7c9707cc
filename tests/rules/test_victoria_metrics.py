"""The rules on another engine: VictoriaMetrics says the same of the simulated nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from fleet.fixture import Fleet
from fleet.victoria import victoria_metrics
from rules.files import RECORDING, rules

NO_NUMBER = "DCGM_FI_DEV_FB_FREE"
"""NaN, which VictoriaMetrics leaves out."""
INCREASES = ":increase1d"
"""Its increase() begins with the sample before the range and never extrapolates."""


def test_all_rules_give_the_same_there(fleet: Fleet, tmp_path: Path) -> None:
    documents = [path.read_text(encoding="utf-8") for path in fleet.documents]
    with victoria_metrics(tmp_path / "vm", [*documents, _accounts(fleet)]) as url:
        for rule in rules(*RECORDING):
            here = {frozenset(row.labels.items()): row.value for row in fleet.query(rule.expr)}
            there = _asked(url, rule.expr, fleet.end_unix_s)
            if rule.name == NO_NUMBER:
                assert there == {}
                continue
            assert there.keys() == here.keys(), rule.name
            rel = 1e-2 if rule.name.endswith(INCREASES) else 1e-6
            assert there == pytest.approx(here, rel=rel, abs=1e-6), rule.name
            assert not any(math.isnan(value) for value in there.values())


def _accounts(fleet: Fleet) -> str:
    """The recorded series that other rules read, as lines."""
    rows = fleet.query_range('{__name__=~".+:aipower_energy_joules:sum"}', fleet.start_unix_s, fleet.end_unix_s)
    lines: list[str] = []
    for row in rows:
        name = row.labels["__name__"]
        labels = ",".join(f'{label}="{value}"' for label, value in row.labels.items() if label != "__name__")
        lines.extend(f"{name}{{{labels}}} {value!r} {at_unix_s:.0f}" for at_unix_s, value in row.values)
    return "\n".join(lines)


def _asked(url: str, expr: str, at_unix_s: float) -> Mapping[frozenset[tuple[str, str]], float]:
    parameters = {"query": expr, "time": f"{at_unix_s:.0f}"}
    document = httpx.post(f"{url}/api/v1/query", data=parameters, timeout=60).json()
    assert document["status"] == "success", document
    return {frozenset(row["metric"].items()): float(row["value"][1]) for row in document["data"]["result"]}
