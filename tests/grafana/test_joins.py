"""Cases that the simulated nodes do not have: facts of a job that change, and two clusters with nodes of one name."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from fleet.server import tool
from grafana.asking import Grafana, dashboard, panels

HOUR_S = 3600
NODE = 'instance="node:9877"'
JOB = 'system="slurm", job="7"'
TRAIN = '{{name="train", team="{}", system="slurm", job="7", user="u"}}'
KWH = 3_600_000


def series(metric: str, labels: str, values: str) -> dict[str, str]:
    return {"series": f"{metric}{{{labels}}}", "values": values}


def cluster(name: str, team: str, kwh: int) -> list[dict[str, str]]:
    """A node whose GPU a job uses for half an hour; its team is not known at the first scrape."""
    where = f'cluster="{name}", {NODE}'
    gpu = f'{where}, device="g", kind="gpu", index="0"'
    used = f"_x29 {kwh * KWH // 2} {kwh * KWH}x29"
    held = "_x29 0 60+60x28"
    info = f'{where}, {JOB}, account="", partition="", namespace="", pod=""'
    return [
        series("aipower_device_energy_joules_total", gpu, f"0+{kwh * KWH // 30}x60"),
        series("aipower_device_component_energy_joules_total", f'{gpu}, component="idle"', "0+6000x60"),
        series("aipower_job_energy_joules_total", f'{gpu}, {JOB}, step="0", user="u"', used),
        series("aipower_job_held_seconds_total", f'{gpu}, {JOB}, step="0", user="u"', held),
        series("aipower_job_unused_seconds_total", f'{gpu}, {JOB}, step="0", user="u"', held),
        series("aipower_job_info", f'{info}, name="", team=""', "_x29 1 stale"),
        series("aipower_job_info", f'{info}, name="train", team="{team}"', "_x30 1x28"),
    ]


def query(uid: str, title: str, number: int) -> str:
    """One query of a panel, over the last hour."""
    board = dashboard(uid)
    panel = next(panel for panel in panels(board) if panel["title"] == title)
    names = [variable["name"] for variable in board["templating"]["list"] if variable["type"] == "query"]
    return Grafana("", 0.0, 60, dict.fromkeys(names, ".*"), HOUR_S).asked(board, panel)[number]


@pytest.mark.parametrize(
    ("title", "number", "wanted"),
    [
        # The first scrape of the job had half of its energy already.
        ("Teams", 0, {'{team="red"}': 2.0, '{team="blue"}': 5.0}),
        # 29 minutes, at 100 W idle.
        ("Teams", 3, {'{team="red"}': 0.483, '{team="blue"}': 0.483}),
        ("Teams", 4, {'{team="red"}': 0.048, '{team="blue"}': 0.048}),
        ("Jobs", 0, {TRAIN.format("red"): 2.0, TRAIN.format("blue"): 5.0}),
    ],
)  # fmt: skip
def test_facts_that_come_late_and_nodes_of_one_name_do_not_mix(
    tmp_path: Path, title: str, number: int, wanted: dict[str, float]
) -> None:
    expected = [{"labels": labels, "value": value} for labels, value in wanted.items()]
    expr = f"round({query('aipower-who', title, number)}, 0.001)"
    test = {
        "interval": "1m",
        "input_series": [*cluster("one", "red", 2), *cluster("two", "blue", 5)],
        "promql_expr_test": [{"expr": expr, "eval_time": "60m", "exp_samples": expected}],
    }
    path = tmp_path / "test.yml"
    path.write_text(json.dumps({"rule_files": [], "evaluation_interval": "1m", "tests": [test]}), encoding="utf-8")
    command = [tool("promtool"), "test", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
