"""MLflow: `log_record(m)` gives a measurement to the run that is active."""

from __future__ import annotations

import importlib
import re
from typing import Any

from aipower.integrations.scalars import record_of, scalars_of
from aipower.measuring import Measure
from aipower.runrecord import RunRecord, to_json

_NO_NAME = re.compile(r"[^\w\-. /:]")
"""What MLflow does not take in the name of a metric."""
LONGEST_NAME = 250


def log_record(measured: RunRecord | Measure, *, run_id: str | None = None, prefix: str = "aipower") -> None:
    """Log figures as metrics, where they come from as tags, and the record as an artifact.

    Args:
        measured: A measurement that has ended, or a record.
        run_id: Of MLflow; by default the active run, or a new one.
        prefix: What the names of metrics, tags and the artifact's folder begin with.

    Raises:
        Exception: What MLflow raises, if its server cannot be reached for example.
    """
    mlflow: Any = importlib.import_module("mlflow")
    record = record_of(measured)
    mlflow.log_metrics({_name(prefix, name): value for name, value in scalars_of(record).items()}, run_id=run_id)
    client, target = mlflow.MlflowClient(), run_id or mlflow.active_run().info.run_id
    for name, value in _tags(record).items():
        client.set_tag(target, _name(prefix, name), value)
    client.log_text(target, to_json(record).decode(), f"{prefix}/{record.run_id}.json")


def _tags(record: RunRecord) -> dict[str, str]:
    return {
        "run_id": record.run_id,
        "host": record.host,
        "version": record.version,
        "complete": str(record.complete).lower(),
        "simulated": str(record.simulated).lower(),
        "not_measured": "; ".join(f"{missing.source}: {missing.reason}" for missing in record.not_measured),
    }


def _name(prefix: str, name: str) -> str:
    return _NO_NAME.sub("_", f"{prefix}/{name}")[:LONGEST_NAME]
