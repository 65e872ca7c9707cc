"""The table of scrapes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.scraping.arm import Cost, Sizes, measure, quantile
from benchmarks.scraping.client import PROMETHEUS_2, PROMETHEUS_3, TEXT
from benchmarks.scraping.targets import on_node, programs, simulated
from benchmarks.suite.table import Options, Table
from benchmarks.watching.node import Point
from benchmarks.watching.programs import AIPOWER

FULL, QUICK = Sizes(10.0, 30, 100), Sizes(2.0, 3, 10)
ACCOUNTS, QUICK_ACCOUNTS = (430, 1900), (430,)
"""Processes of the simulated agents: about 5,000 and 20,000 series."""
MANY = 10
BUDGET_S = 0.010
COLUMNS = (
    "program", "series", "format", "scrapers", "kB", "kB gzip", "fresh p50, ms", "fresh p99, ms", "again p50, ms",
    "again p99, ms", "CPU a scrape, ms", "RSS before, MB", "after", "most", "tick late, ms", "late while scraped, ms",
)  # fmt: skip
FORMATS = {"text": TEXT, "OpenMetrics, Prometheus 2": PROMETHEUS_2, "OpenMetrics, Prometheus 3": PROMETHEUS_3}
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """One way of scraping, and its cost."""

    program: str
    what: str
    scrapers: int
    cost: Cost


def tables(options: Options) -> Sequence[Table]:
    """About eleven minutes, quick two."""
    sizes = QUICK if options.quick else FULL
    rows = [*_on_nodes(options, sizes), *_simulated(QUICK_ACCOUNTS if options.quick else ACCOUNTS, sizes)]
    return [table(rows, sizes)]


def _on_nodes(options: Options, sizes: Sizes) -> Iterator[Row]:
    """The node of the budget: aipower in all formats; and with processors; the rival as it is."""
    for program in programs(options):
        ours = program is AIPOWER
        for point in (Point(), Point(rapl=True))[: 1 + ours]:
            formats = tuple(FORMATS) if ours and not point.rapl else ("text",)
            with on_node(options, program, point) as target:
                for what in formats:
                    for scrapers in (1, MANY):
                        name = f"{program.name}{', RAPL' if point.rapl else ''}"
                        _say(f"{name}, {what}, {scrapers} at once")
                        yield Row(name, what, scrapers, measure(target, FORMATS[what], scrapers, sizes))


def _simulated(counts: Sequence[int], sizes: Sizes) -> Iterator[Row]:
    for accounts in counts:
        with simulated(accounts) as target:
            for what in ("text", "OpenMetrics, Prometheus 3"):
                for scrapers in (1, MANY):
                    _say(f"{accounts} accounts, {what}, {scrapers} at once")
                    cost = measure(target, FORMATS[what], scrapers, sizes)
                    yield Row(f"aipower, {accounts} processes", what, scrapers, cost)


def _say(words: str) -> None:
    print(f"scraping: {words}", file=sys.stderr)


def table(rows: Sequence[Row], sizes: Sizes) -> Table:
    """What was found."""
    return Table("scrape", "Scraping /metrics", COLUMNS, tuple(map(_cells, rows)), tuple(_notes(rows, sizes)))


def _cells(row: Row) -> tuple[str, ...]:
    cost = row.cost
    fresh = [f"{1000 * quantile(cost.fresh_s, share):.1f}" for share in (0.5, 0.99)]
    again = [f"{1000 * quantile(cost.again_s, share):.1f}" for share in (0.5, 0.99)]
    late = [f"{1000 * each:.2f}" for each in cost.late_s] if cost.late_s else [NOTHING] * 2
    return (
        *(row.program, str(cost.series), row.what, str(row.scrapers)),
        *(f"{cost.plain_bytes / 1e3:.0f}", f"{cost.gzip_bytes / 1e3:.0f}"),
        *fresh,
        *again,
        f"{1000 * cost.cpu_s:.2f}",
        *(f"{each:.1f}" for each in cost.rss_mb),
        *late,
    )


def _notes(rows: Sequence[Row], sizes: Sizes) -> Iterator[str]:
    yield (
        f"Fresh: {sizes.fresh} rounds a second apart, so that each meets a new snapshot, as in life; again: "
        f"{sizes.again} rounds back to back; ten scrapers ask at the same moment. Connections are kept, gzip is asked "
        "for, as Prometheus does; the times are the client's."
    )
    yield "CPU a scrape: of the program during the fresh rounds, less what it uses in a quiet time of the same length."
    yield (
        "nvitop-exporter always answers in text and lists the GPUs' processes itself; its page has no energy. Rows "
        "with a number of processes are the agent's sampler, accounts and HTTP service on simulated sensors."
    )
    yield "Tick late: how late the sampler's ticks begin on average, without scrapes and with the fresh rounds."
    budget = [row for row in rows if row.program == AIPOWER.name]
    if budget:
        worst_s = max(quantile(row.cost.fresh_s, 0.99) for row in budget)
        kept = "kept" if worst_s <= BUDGET_S else "missed"
        yield f"Budget of a scrape's p99 on the node of the budget: {1000 * worst_s:.1f} of at most 10 ms: {kept}."
