"""Scrapes as Prometheus does: on a connection that is kept, with its headers, at even distances or back to back."""

from __future__ import annotations

import gzip
import http.client
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
TEXT = "text/plain;version=0.0.4"
LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Scrape:
    """One answer."""

    took_s: float
    body: bytes
    coding: str

    @property
    def plain(self) -> bytes:
        """The page."""
        return gzip.decompress(self.body) if self.coding == "gzip" else self.body

    @property
    def series(self) -> int:
        """Samples on the page."""
        return sum(line[:1] not in {b"#", b""} for line in self.plain.split(b"\n"))


class Scraper:
    """One Prometheus."""

    def __init__(self, port: int, accept: str, encoding: str = "gzip") -> None:
        self._headers = {"Accept": accept, "Accept-Encoding": encoding, "X-Prometheus-Scrape-Timeout-Seconds": "10"}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)

    def scrape(self) -> Scrape:
        """Ask once.

        Raises:
            OSError: There is no page.
        """
        began_s = time.perf_counter()
        self._connection.request("GET", "/metrics", headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took_s = time.perf_counter() - began_s
        if answer.status != http.client.OK:
            raise OSError(f"/metrics: {answer.status}")
        return Scrape(took_s, body, answer.getheader("Content-Encoding", ""))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def scrape_all(port: int, accept: str, scrapers: int, rounds: int, every_s: float) -> Sequence[float]:
    """Seconds of each scrape: all at once in each round, `every_s` apart (0: back to back).

    The phase against the agent's ticks wanders by chance: each round meets a fresh snapshot where rounds are no closer
    than ticks.
    """
    group = [Scraper(port, accept) for _ in range(scrapers)]
    dice, took_s, due_s = random.Random(1), list[float](), time.monotonic()
    with ThreadPoolExecutor(scrapers) as pool:
        for _ in range(rounds):
            time.sleep(max(0.0, due_s - time.monotonic()))
            took_s += [scrape.took_s for scrape in pool.map(Scraper.scrape, group)]
            due_s = time.monotonic() + every_s * dice.uniform(1.0, 1.1)
    for scraper in group:
        scraper.close()
    return took_s
