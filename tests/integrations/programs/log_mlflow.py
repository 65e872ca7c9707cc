"""Gives a measurement to MLflow, and reads it back."""

# mypy: ignore-errors
# The libraries are not there where types are checked.

from __future__ import annotations

import json
import time
from pathlib import Path

import mlflow

import aipower
from aipower.integrations.mlflow import log_record

mlflow.set_tracking_uri((Path.cwd() / "mlruns").as_uri())
with mlflow.start_run() as run, aipower.measure("tiny", sensors="fake") as m:
    with aipower.phase("träin (1)"):
        time.sleep(0.3)
    aipower.log(tokens=10)
log_record(m, run_id=run.info.run_id)
kept = mlflow.get_run(run.info.run_id)
artifact = mlflow.artifacts.load_text(f"{kept.info.artifact_uri}/aipower/{m.record.run_id}.json")
with mlflow.start_run() as active:
    log_record(m.record, prefix="again")
print()
print(json.dumps({
    "metrics": kept.data.metrics,
    "tags": kept.data.tags,
    "record": json.loads(artifact),
    "energy_j": m.energy_j,
    "again": mlflow.get_run(active.info.run_id).data.metrics["again/energy_j"],
}))  # fmt: skip
