"""Logging to MLflow, with the real library and its store of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.optional import need, run


def test_metrics_tags_and_the_record(tmp_path: Path) -> None:
    need("mlflow")
    found = run(tmp_path, "log_mlflow", environment={"MLFLOW_ALLOW_FILE_STORE": "true"})
    metrics = found["metrics"]
    assert metrics["aipower/energy_j"] == pytest.approx(found["energy_j"])
    assert metrics["aipower/energy_j_low"] <= metrics["aipower/energy_j"] <= metrics["aipower/energy_j_high"]
    assert metrics["aipower/j_per/tokens"] == pytest.approx(found["energy_j"] / 10)
    assert metrics["aipower/phase/träin _1_/wall_s"] >= 0.3
    assert found["tags"]["aipower/simulated"] == "true"
    assert found["record"]["schema"] == "aipower.run/1"
    assert found["tags"]["aipower/run_id"] == found["record"]["run_id"]
    assert found["again"] == pytest.approx(found["energy_j"])
