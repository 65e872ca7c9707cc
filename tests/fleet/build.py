"""Makes the blocks of the simulated nodes, and those of the recording rules."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fleet.pages import documents
from fleet.plan import END_UNIX_S, HOUR_S, START_UNIX_S
from fleet.server import backfill, import_blocks, prometheus
from fleet.simulated import simulate
from fleet.truth import Truth

BLOCK_S = 2 * HOUR_S
RULES = Path(__file__).parents[2] / "config" / "prometheus"
RULE_FILES = ("aipower.rules.yml", "compat-dcgm.rules.yml", "compat-kepler.rules.yml")
RECORDED_S = 2 * HOUR_S
"""The recorded series begin so long before the end."""


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
    rules = [RULES / name for name in RULE_FILES if (RULES / name).exists()]
    if rules:
        _record(rules, data, work)
    return simulation.truth


def _record(rules: Sequence[Path], data: Path, work: Path) -> None:
    with prometheus(work / "prometheus", data) as url:
        backfill(rules, url, work / "recorded", max(START_UNIX_S, END_UNIX_S - RECORDED_S), END_UNIX_S, 60.0)
    for block in (work / "recorded").iterdir():
        block.rename(data / block.name)


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
