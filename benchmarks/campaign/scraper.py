"""Scrapes an agent as Prometheus does, from a thread, and keeps the pages with the times of their arrival."""

from __future__ import annotations

import gzip
import http.client
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from benchmarks.campaign.pages import Series, parse

LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Page:
    """One scrape that was answered."""

    asked_s: float
    came_s: float
    series: Series


@dataclass
class Scraper:
    """Asks each `period_s` at `port` of loopback until it is left; every second time for gzip."""

    port: int
    period_s: float = 0.2
    refused: int = 0
    """Scrapes that nobody answered, or not to the end: there was no agent, or it was killed meanwhile."""
    wrong: list[str] = field(default_factory=list)
    """Answers that no agent should give."""
    slowest_s: float = 0.0
    bytes_read: int = 0
    _pages: list[Page] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _scraping: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(2 * LIMIT_S)

    def newest(self) -> Page | None:
        """The newest page that was not taken yet."""
        with self._lock:
            return self._pages[-1] if self._pages else None

    def take(self) -> list[Page]:
        """The pages since the last call, with that of a scrape under way."""
        with self._scraping, self._lock:
            pages, self._pages = self._pages, []
            return pages

    def _run(self) -> None:
        number = 0
        while not self._over.wait(self.period_s):
            number += 1
            try:
                with self._scraping:
                    self._scrape(zipped=number % 2 == 0)
            except (ValueError, KeyError, EOFError) as error:
                self.wrong.append(f"a page that cannot be read: {error!r}")

    def _scrape(self, *, zipped: bool) -> None:
        asked_s = time.monotonic()
        try:
            status, body = fetch(self.port, zipped=zipped)
        except (OSError, http.client.HTTPException):
            self.refused += 1
            return
        came_s = time.monotonic()
        if status != http.HTTPStatus.OK:
            self.wrong.append(f"status {status}: {body[:200]!r}")
            return
        page = Page(asked_s, came_s, parse((gzip.decompress(body) if zipped else body).decode()))
        self.slowest_s = max(self.slowest_s, came_s - asked_s)
        self.bytes_read += len(body)
        with self._lock:
            self._pages.append(page)


def fetch(port: int, path: str = "/metrics", *, zipped: bool = False) -> tuple[int, bytes]:
    """Status and body of a page.

    Raises:
        OSError: Nobody answers.
        http.client.HTTPException: It answered, but not to the end.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip" if zipped else "identity"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
