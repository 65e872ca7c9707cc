"""Makes the blocks of the simulated nodes, and those of the recording rules."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from fleet.agent import COARSE_S
from fleet.pages import documents
from fleet.plan import END_UNIX_S, HOUR_S, START_UNIX_S
from fleet.server import backfill, import_blocks, prometheus
from fleet.simulated import simulate
from fleet.truth import Truth

BLOCK_S = 2 * HOUR_S
RULES = Path(__file__).parents[2] / "config" / "prometheus"
RULE_FILES = ("aipower.rules.yml", "compat-dcgm.rules.yml", "compat-kepler.rules.yml")
READ_BY_OTHERS = "aipower-accounts"
"""The group of rules that others build on."""
RECORDED_FROM_S = END_UNIX_S - 2 * HOUR_S
"""When the other recorded series begin."""


def build(data: Path, work: Path) -> Truth:
    """Blocks in `data`; `work` is for what is needed on the way."""
    work.mkdir()
    simulation = simulate()
    with ThreadPoolExecutor(2) as pool:
        # promtool reads all of a file once for each block: small files cost less.
        sources = [
            _written(work / f"{number}.om", text) for number, text in enumerate(documents(simulation.pages, BLOCK_S))
        ]
        list(pool.map(lambda source: import_blocks(source, data), sources))
    _record(data, work)
    return simulation.truth


def _record(data: Path, work: Path) -> None:
    """Two passes, as promtool does not see what it has recorded: first what other rules read, over the whole story."""
    groups = [group for path in (RULES / name for name in RULE_FILES) for group in _groups(path)]
    base = [group for group in groups if group["name"] == READ_BY_OTHERS]
    rest = [group for group in groups if group["name"] != READ_BY_OTHERS]
    for number, (some, start_s, every_s) in enumerate(((base, START_UNIX_S, COARSE_S), (rest, RECORDED_FROM_S, 60.0))):
        rules = _written(work / f"{number}.yml", json.dumps({"groups": some}))
        out = work / f"recorded-{number}"
        with prometheus(work / f"prometheus-{number}", data) as url:
            backfill([rules], url, out, start_s, END_UNIX_S, every_s)
        for block in out.iterdir():
            block.rename(data / block.name)


def _groups(path: Path) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return groups


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
