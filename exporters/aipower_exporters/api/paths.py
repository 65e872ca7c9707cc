"""The paths of the API and the parameters that each takes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ROOT = "/api/v1"
OPENAPI = f"{ROOT}/openapi.json"
SNAPSHOT = f"{ROOT}/snapshot"
PROCESSES = f"{ROOT}/processes"
JOBS = f"{ROOT}/jobs"
RUNS = f"{ROOT}/runs"
POWER = f"{ROOT}/power"
HISTORY = f"{ROOT}/history"
LIVE = f"{ROOT}/live"

PARAMETERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        ROOT: (),
        OPENAPI: (),
        SNAPSHOT: (),
        PROCESSES: ("sort", "limit"),
        JOBS: (),
        RUNS: (),
        POWER: ("after", "device"),
        HISTORY: ("from", "to", "step", "by", "device"),
        LIVE: ("after", "device", "step", "by", "history_after", "include"),
    }
)
