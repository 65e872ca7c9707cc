"""The processes of a job, as far as they had series of their own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from aipower.calibration.default import GAIN_95
from aipower.fleet.growth import Reader, Window
from aipower.fleet.names import PROCESS_ENERGY, PROCESS_ERROR, PROCESS_INFO
from aipower.fleet.nodes import Node
from aipower.fleet.selectors import Selector, any_of
from aipower.model import SUMMED_KINDS
from aipower.runrecord import ProcessRecord

MOST = 1000
"""As in a single run."""
AT_ONCE = 500
"""Pids in one query."""
WHO = ("pid", "comm", "user", "run")

Who = tuple[Node, tuple[str, ...]]


def processes_of(
    reader: Reader, targets: Sequence[str], own: tuple[tuple[str, str], ...], window: Window, shown: Mapping[Node, str]
) -> list[ProcessRecord]:
    """The largest first. A process's account begins at 0 with it."""
    infos = reader.over("last_over_time", Selector(PROCESS_INFO, tuple(targets), own), window, WHO)
    ours = {key for key in infos if key[0] in shown and re.fullmatch(r"\d+", key[1][0])}
    pids = sorted({key[1][0] for key in ours})
    energies_j: dict[Who, float] = defaultdict(float)
    halves_j: dict[Who, float] = defaultdict(float)
    for at in range(0, len(pids), AT_ONCE):
        narrow = (*targets, any_of("pid", pids[at : at + AT_ONCE]), any_of("kind", SUMMED_KINDS))
        for metric, found in ((PROCESS_ENERGY, energies_j), (PROCESS_ERROR, halves_j)):
            values = reader.over("max_over_time", Selector(metric, narrow), window, (*WHO, "device", "component"))
            for (node, words), value in values.items():
                found[node, words[:4]] += value
    rows = [_row(key, energies_j[key], halves_j.get(key), shown) for key in sorted(ours & energies_j.keys())]
    return sorted(rows, key=lambda row: row.energy_j, reverse=True)[:MOST]


def _row(key: Who, energy_j: float, half_j: float | None, shown: Mapping[Node, str]) -> ProcessRecord:
    node, (pid, comm, _, _) = key
    half_j = GAIN_95 * energy_j if half_j is None else half_j
    own_j = (max(0.0, half_j**2 - (GAIN_95 * energy_j) ** 2)) ** 0.5
    return ProcessRecord(
        pid=int(pid),
        command=comm,
        energy_j=energy_j,
        interval_j=(max(0.0, energy_j - half_j), energy_j + half_j),
        repeatable_interval_j=(max(0.0, energy_j - own_j), energy_j + own_j),
        identifiable=True,
        cpu_time_s=0.0,
        host=shown[node] if len(shown) > 1 else "",
    )
