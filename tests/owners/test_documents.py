"""The documentation: its tables are the code's, and a real Prometheus answers its queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aipower.owners.environ import MOST_CHARACTERS, NAMES
from fleet.server import import_blocks, prometheus
from owners.corpus import cases

DOCS = Path(__file__).parents[2] / "docs"
JOBS = (DOCS / "jobs.md").read_text(encoding="utf-8")
QUERIES = [
    query
    for name in ("jobs.md", "kubernetes.md")
    for query in re.findall(r"```promql\n(.*?)```", (DOCS / name).read_text(encoding="utf-8"), re.DOTALL)
]
NOW_UNIX_S = 1_800_000_000
MINUTES = 120
UID = "03f3f104-3215-44f2-9686-d4dd1f05a7ed"
DEVICE = 'device="GPU-1",kind="gpu",index="0",instance="n1"'
COUNTERS = {
    # watts, or seconds of a second, over the two hours
    f'aipower_job_energy_joules_total{{system="slurm",job="1234",step="0",user="1000",{DEVICE}}}': 200.0,
    f'aipower_job_energy_joules_total{{system="slurm",job="1234",step="batch",user="1000",{DEVICE}}}': 50.0,
    f'aipower_job_energy_joules_total{{system="kubernetes",job="{UID}",step="a",user="0",{DEVICE}}}': 100.0,
    f'aipower_job_energy_joules_total{{system="none",user="1001",{DEVICE}}}': 10.0,
    f'aipower_job_energy_joules_total{{system="idle",{DEVICE}}}': 60.0,
    f'aipower_job_held_seconds_total{{system="slurm",job="1234",user="1000",{DEVICE}}}': 1.0,
    f'aipower_job_unused_seconds_total{{system="slurm",job="1234",user="1000",{DEVICE}}}': 0.25,
    f'aipower_job_held_seconds_total{{system="kubernetes",job="{UID}",user="0",{DEVICE}}}': 1.0,
    f'aipower_job_unused_seconds_total{{system="kubernetes",job="{UID}",user="0",{DEVICE}}}': 1.0,
}
GAUGES = [
    'aipower_job_info{system="slurm",job="1234",name="train",team="vision",instance="n1"}',
    f'aipower_job_info{{system="kubernetes",job="{UID}",name="serve",instance="n1"}}',
    f'kube_pod_info{{namespace="ml",pod="serve-0",uid="{UID}",node="n1",job="kube-state-metrics",host_ip="10.0.0.1"}}',
    f'kube_pod_info{{namespace="ml",pod="serve-0",uid="{UID}",node="n1",job="kube-state-metrics"}}',
]


def page() -> str:
    """Two hours of a node, in OpenMetrics, families together."""
    start = NOW_UNIX_S - 60 * MINUTES
    lines: list[str] = []
    for name in sorted({series.partition("{")[0] for series in [*COUNTERS, *GAUGES]}):
        lines.append(f"# TYPE {name.removesuffix('_total')} {'counter' if name.endswith('_total') else 'gauge'}")
        for series in [each for each in [*COUNTERS, *GAUGES] if each.partition("{")[0] == name]:
            rate = COUNTERS.get(series)
            points = ((minute, 1.0 if rate is None else rate * 60 * minute) for minute in range(MINUTES + 1))
            lines += [f"{series} {value} {start + 60 * minute}" for minute, value in points]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus of the page."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "page").write_text(page())
    import_blocks(folder / "page", folder / "data")
    with prometheus(folder / "prometheus", folder / "data") as address:
        yield address


def ask(url: str, query: str) -> dict[tuple[str, ...], float]:
    """The answer at the end of the two hours: the labels' values, and the figure."""
    answer = httpx.get(f"{url}/api/v1/query", params={"query": query, "time": NOW_UNIX_S}, timeout=30).json()
    assert answer["status"] == "success", answer
    rows = answer["data"]["result"]
    return {tuple(value for _, value in sorted(row["metric"].items())): float(row["value"][1]) for row in rows}


def test_every_query_is_answered(url: str) -> None:
    assert len(QUERIES) == 9
    assert all(ask(url, query) for query in QUERIES)


def test_the_answers_are_what_was_used(url: str) -> None:
    answers = [ask(url, query) for query in QUERIES]
    whole_j = {watts: pytest.approx(watts * 60 * MINUTES) for watts in (100, 250)}
    assert answers[0] == {("1234",): whole_j[250]}
    assert answers[1] == {("0", "n1", "gpu"): whole_j[250]}
    assert answers[2] == {("1234", "slurm", "1000"): pytest.approx(0.25), (UID, "kubernetes", "0"): pytest.approx(1)}
    assert list(answers[3]) == [(UID, "kubernetes", "0")]
    assert answers[4] == {("train",): whole_j[250], ("serve",): whole_j[100]}
    assert answers[5] == {("vision",): whole_j[250], (): whole_j[100]}
    assert answers[6] == {("none",): pytest.approx(10), ("idle",): pytest.approx(60)}
    assert answers[7] == {("ml",): whole_j[100]}
    assert answers[8] == {(UID, "ml", "serve-0"): whole_j[100]}


def test_the_table_of_the_environment_is_all_that_is_read() -> None:
    section = JOBS.partition("## What is read")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])} == set(NAMES)
    assert f"cut at {MOST_CHARACTERS} characters" in section


def test_the_table_of_systems_is_the_codes() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", JOBS.partition("## What is read")[0], re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)} - {"system"}
    assert told == {case.place.owner.system for case in cases()} | {"idle", "other"}
