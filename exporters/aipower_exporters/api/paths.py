"""The paths of the API."""

from __future__ import annotations

ROOT = "/api/v1"
OPENAPI = f"{ROOT}/openapi.json"
SNAPSHOT = f"{ROOT}/snapshot"
PROCESSES = f"{ROOT}/processes"
JOBS = f"{ROOT}/jobs"
RUNS = f"{ROOT}/runs"
POWER = f"{ROOT}/power"
HISTORY = f"{ROOT}/history"
LIVE = f"{ROOT}/live"
