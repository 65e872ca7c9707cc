"""Real agents, scraped live."""

from __future__ import annotations

from pathlib import Path

from fleet.live import live
from fleet.server import tool


def test_two_agents_and_their_prometheus_are_one_chain(tmp_path: Path) -> None:
    tool("prometheus")
    with live(tmp_path, agents=2) as chain:
        both = chain.until('count(up{job="aipower"} == 1) == 2')
        powers = chain.until('sum by (instance) (aipower_device_power_watts{job="aipower",kind="gpu"}) > 0')
        idle = chain.until('sum(aipower_job_energy_joules_total{system="idle",job="",exported_job=""})')
        named = chain.until('count by (job) (aipower_job_energy_joules_total{system="slurm"})')
    assert both[0][1] == 2
    assert {labels["instance"] for labels, _ in powers} <= {one.address for one in chain.agents}
    assert idle[0][1] > 0
    # The label of the page, not that of the scrape: the simulated nodes' series are stored in the same way.
    assert [labels for labels, _ in named] == [{"job": "4711"}]
