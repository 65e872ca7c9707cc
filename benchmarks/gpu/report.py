"""What is kept of the experiments: one JSON object, and a table for people."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from benchmarks.gpu.card import CallFailedError, Card
from benchmarks.gpu.seams import Row

SCHEMA = "aipower.gpu-experiments/1"


@dataclass(frozen=True, slots=True)
class Result:
    """How one experiment ended."""

    name: str
    title: str
    status: Literal["done", "skipped", "failed"]
    seconds: float
    reason: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
    rows: Sequence[Row] = ()


def about(card: Card, unix_s: float) -> dict[str, object]:
    """Where and when the figures come from; unknown things are empty or None. No serial number, no host name."""
    return {
        "date": dt.datetime.fromtimestamp(unix_s, dt.UTC).isoformat(timespec="seconds"),
        "gpu": card.text("nvmlDeviceGetName"),
        "architecture": number(card, "nvmlDeviceGetArchitecture"),
        "driver": card.text("nvmlSystemGetDriverVersion", device=False),
        "nvml": card.text("nvmlSystemGetNVMLVersion", device=False),
        "cuda": card.text("nvmlSystemGetCudaDriverVersion", device=False),
        "persistence": number(card, "nvmlDeviceGetPersistenceMode"),
        "mig": mig(card),
        "power_limit_mw": number(card, "nvmlDeviceGetEnforcedPowerLimit"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("aipower", "nvidia-ml-py", "torch")},
    }


def number(card: Card, function: str) -> int | None:
    """What the call answers, None where it fails."""
    try:
        return int(card.call(function))
    except CallFailedError:
        return None


def mig(card: Card) -> int | None:
    """1 with MIG, 0 without, None where the GPU has no such mode."""
    try:
        return int(card.call("nvmlDeviceGetMigMode")[0])
    except CallFailedError:
        return None


def version(distribution: str) -> str:
    """Of an installed distribution, "" where it is not."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def as_json(facts: Mapping[str, object], scale: float, results: Sequence[Result]) -> str:
    """The whole as JSON; numbers that are none (NaN, infinity) become null."""
    whole = {"schema": SCHEMA, **facts, "seconds_scale": scale, "results": [asdict(result) for result in results]}
    return json.dumps(finite(whole), indent=1) + "\n"


def finite(value: object) -> object:
    """`value` without NaN and infinity, which JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list | tuple) else value


def heading(facts: Mapping[str, object]) -> str:
    """The facts in lines for people."""
    return "".join(f"{name}: {value}\n" for name, value in facts.items())


def table(result: Result) -> str:
    """One experiment as a Markdown table."""
    head = f"\n## {result.title} (`{result.name}`, {result.seconds:.0f} s)\n\n"
    if result.status != "done":
        return f"{head}{result.status}: {result.reason}\n"
    lines = [f"| {what} | {figure} |" for what, figure in result.rows]
    return head + "\n".join(["| what | measured |", "|---|---|", *lines]) + "\n"
