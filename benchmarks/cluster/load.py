"""What a cluster costs one Prometheus: series, scrapes, memory, and the time of the queries of docs/queries.md."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aipower_exporters.prometheus import OPENMETRICS, PrometheusExporter
from benchmarks.cluster.server import Prometheus, prometheus, scrape_config, served
from benchmarks.cluster.simulated import SimulatedNode, Size

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
_QUESTION = re.compile(r"^### (.*?)\n(.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"```promql\n(.*?)```", re.DOTALL)
SETTLE_S = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A measurement."""

    nodes: int = 64
    size: Size = field(default_factory=Size)
    interval_s: float = 15.0
    seconds: float = 300.0
    created: bool = False
    """Keep the series of created timestamps, as a scrape without metric_relabel_configs does."""
    repeats: int = 20


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them are; 0 for none."""
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))] if ordered else 0.0


def series_of(nodes: Sequence[SimulatedNode], exporter: PrometheusExporter) -> tuple[int, int]:
    """Series, and bytes, of the page of the first node."""
    body, _ = exporter.render(nodes[0].snapshot(), OPENMETRICS)
    return sum(not line.startswith(b"#") for line in body.splitlines()), len(body)


def render_ms(node: SimulatedNode, exporter: PrometheusExporter, times: int = 30) -> float:
    """Milliseconds of this process to render a page, the median."""
    found = []
    for _ in range(times):
        snapshot = node.snapshot()
        began_s = time.process_time()
        exporter.render(snapshot, OPENMETRICS)
        found.append(1000 * (time.process_time() - began_s))
    return quantile(found, 0.5)


def measure(plan: Plan, say: Callable[[str], None]) -> None:
    """Scrape for the time of the plan, then ask; `say` gets lines of Markdown."""
    nodes = [SimulatedNode(f"node-{number:02d}", number, plan.size, time.time) for number in range(plan.nodes)]
    plain, full = PrometheusExporter(created=False), PrometheusExporter()
    say("| what | measured |\n|---|---|")
    for what, exporter in (("page", plain), ("page with created timestamps", full)):
        series, size = series_of(nodes, exporter)
        cpu_ms = render_ms(nodes[0], exporter)
        say(f"| {what} of a node | {series} series, {size / 1000:.0f} kB, {cpu_ms:.1f} ms of CPU |")
    # The page as the agent serves it by default: it is the scrape that drops what it does not want.
    with tempfile.TemporaryDirectory() as folder, served(nodes, full) as port:
        config = scrape_config(nodes, port, plan.interval_s, drop_created=not plan.created)
        with prometheus(Path(folder), config) as server:
            time.sleep(plan.seconds)
            for line in (*scrapes(server, plan), *memory(server, Path(folder))):
                say(line)
            if plan.repeats:
                for line in queries(server, plan.repeats):
                    say(line)


def scrapes(server: Prometheus, plan: Plan) -> Iterator[str]:
    """How long they took and what they brought."""
    window = f"[{int(plan.seconds)}s]"
    durations = [
        float(value)
        for row in server.get("query", {"query": f"scrape_duration_seconds{window}"})["result"]
        for _, value in row["values"]
    ]
    times = ", ".join(
        f"{name} {1000 * quantile(durations, share):.0f} ms" for name, share in (("p50", 0.5), ("p99", 0.99))
    )
    longest_ms = 1000 * max(durations)
    yield f"| {len(durations)} scrapes, one each {plan.interval_s:g} s | {times}, longest {longest_ms:.0f} ms |"
    (failed,) = server.values(f"sum(count_over_time(up{window}) - sum_over_time(up{window}))")
    yield f"| scrapes that failed | {failed:.0f} |"
    (scraped,), (kept,) = (
        server.values("max(scrape_samples_scraped)"),
        server.values("max(scrape_samples_post_metric_relabeling)"),
    )
    yield f"| samples of a scrape, and kept of them | {scraped:.0f}, {kept:.0f} |"


def memory(server: Prometheus, folder: Path) -> Iterator[str]:
    """What Prometheus holds."""
    head = server.get("status/tsdb", {})["headStats"]
    yield f"| series in Prometheus | {head['numSeries']} |"
    now_mb, most_mb = server.resident_mb(), server.resident_mb("VmHWM")
    yield f"| memory of Prometheus | {now_mb:.0f} MB resident, {most_mb:.0f} MB at most |"
    disk = sum(path.stat().st_size for path in (folder / "data").rglob("*") if path.is_file())
    yield f"| its files | {disk / 1e6:.0f} MB |"


def questions() -> Iterator[tuple[str, str]]:
    """Titles and queries of docs/queries.md."""
    for title, body in _QUESTION.findall(PAGE.read_text(encoding="utf-8")):
        for query in _BLOCK.findall(body):
            yield title.strip(), query


def adapted(query: str) -> str:
    """With names that the simulated nodes have."""
    names = (
        ('job="1001"', 'job="40000"'), ('job="1002"', 'job="40001"'), ('job="1003"', 'job="40002"'),
        ('job="1007"', 'job="40003"'), ('instance="node-a:9877"', 'instance="node-07:9877"'),
        ("embedder.service", "service-0.service"), ("node-[ab]:", "node-[01].:"), ("@ 1768456800", "offset 1m"),
    )  # fmt: skip
    for name, ours in names:
        query = query.replace(name, ours)
    return query


def queries(server: Prometheus, repeats: int) -> Iterator[str]:
    """How long each takes; what it reads says how that grows with the range."""
    yield f"\n| question, asked {repeats} times | rows | samples read | p50 | p99 |\n|---|---|---|---|---|"
    every: list[float] = []
    for title, query in questions():
        answers = [_timed(server, adapted(query)) for _ in range(repeats)]
        took_ms = [answer.took_ms for answer in answers]
        every += took_ms
        times = f"{quantile(took_ms, 0.5):.0f} ms | {quantile(took_ms, 0.99):.0f} ms"
        yield f"| {title} | {answers[-1].rows} | {answers[-1].samples} | {times} |"
    yield f"| all of them | | | {quantile(every, 0.5):.0f} ms | {quantile(every, 0.99):.0f} ms |"


@dataclass(frozen=True, slots=True)
class _Answer:
    took_ms: float
    rows: int
    samples: int


def _timed(server: Prometheus, query: str) -> _Answer:
    began_s = time.monotonic()
    found = server.get("query", {"query": query, "stats": "all"})
    took_ms = 1000 * (time.monotonic() - began_s)
    return _Answer(took_ms, len(found["result"]), found["stats"]["samples"]["totalQueryableSamples"])
