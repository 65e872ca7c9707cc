"""The measuring of scrapes, on a page of known size and lateness."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scraping.arm import Cost, Sizes, Target, measure, quantile
from benchmarks.scraping.client import PROMETHEUS_2, PROMETHEUS_3, TEXT, Scraper
from benchmarks.scraping.parts import COLUMNS, Row, table
from scraping.served import SERIES

SERVED = Path(__file__).with_name("served.py")
SIZES = Sizes(0.05, 3, 4, 0.01)


@pytest.fixture
def served() -> Iterator[Target]:
    process = subprocess.Popen([sys.executable, str(SERVED)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Target("served", process.pid, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_page_is_scraped_and_its_server_measured(served: Target) -> None:
    cost = measure(served, TEXT, 1, SIZES)
    assert cost.series == SERIES
    assert cost.gzip_bytes < cost.plain_bytes
    assert (len(cost.fresh_s), len(cost.again_s)) == (3, 4)
    assert cost.late_s is not None
    assert list(cost.late_s) == pytest.approx([0.25, 0.25])
    assert 1 < cost.rss_mb[0] <= cost.rss_mb[2]


def test_a_connection_is_kept_and_a_packed_page_read(served: Target) -> None:
    scraper = Scraper(served.port, PROMETHEUS_3)
    first, second = scraper.scrape(), scraper.scrape()
    scraper.close()
    assert first.coding == "gzip"
    assert first.series == second.series == SERIES


def test_prometheus_asks_for_openmetrics_first() -> None:
    for accept in (PROMETHEUS_2, PROMETHEUS_3):
        assert accept.startswith("application/openmetrics-text;version=1.0.0")


def test_a_quantile_is_a_value_that_was_seen() -> None:
    values = [float(number) for number in range(1, 101)]
    assert quantile(values, 0.99) == 99.0
    assert quantile(values, 0.5) == 50.0
    assert quantile([3.0], 0.99) == 3.0


def test_the_table_says_if_the_budget_is_kept() -> None:
    cost = Cost(600, 90_000, 7_000, [0.002, 0.004], [0.001], 0.003, (40.0, 41.0, 42.0), (0.0001, 0.0002))
    rows = [Row("aipower", "text", 1, cost), Row("nvitop-exporter", "text", 10, replace(cost, late_s=None))]
    made = table(rows, SIZES)
    assert [len(row) for row in made.rows] == [len(COLUMNS)] * 2
    assert made.rows[0][6:8] == ("2.0", "4.0")
    assert made.rows[1][-2:] == ("-", "-")
    assert made.notes[-1].endswith("4.0 of at most 10 ms: kept.")
    slow = table([replace(rows[0], cost=replace(cost, fresh_s=[0.011]))], SIZES)
    assert slow.notes[-1].endswith("11.0 of at most 10 ms: missed.")
