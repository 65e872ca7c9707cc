"""How much a client may ask for."""

from __future__ import annotations

DEFAULT_LIMIT, MOST_PROCESSES = 1000, 10_000
MOST_DEVICES = 256
LEAST_STEP_S, MOST_STEP_S = 0.02, 86400.0
DEFAULT_RANGE_S = 300.0
