"""What pages that are open cost the agent: arms by turns in one run, so that a busy machine harms all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from benchmarks.live.agents import Running
from benchmarks.live.browser import Page
from benchmarks.live.client import Client, polling
from benchmarks.live.gauge import Shares

SETTLE_S = 3.0
"""A page that was just opened asks for all there is."""

Arm = Callable[[], AbstractContextManager[None]]


@dataclass(slots=True)
class Spread:
    """Shares of a core of one arm, a value for each of its turns."""

    values: list[Shares] = field(default_factory=list)

    def other(self) -> Sequence[float]:
        """Of the threads that do not sample."""
        return [value.other for value in self.values]

    def sampling(self) -> Sequence[float]:
        """Of the thread that samples."""
        return [value.sampling for value in self.values]


def arms(agent: Running, page: Page | None) -> Mapping[str, Arm]:
    """What is compared."""
    found: dict[str, Arm] = {"no page": _nothing}
    if page is not None:
        found["1 page in Chromium, as it opens"] = lambda: _shown(page, agent.url)
    found["1 client, as a page whose tables are not in sight"] = lambda: _clients(agent.port, 1, tables=False)
    found["1 client, as a page whose tables are all in sight"] = lambda: _clients(agent.port, 1, tables=True)
    found["10 such clients"] = lambda: _clients(agent.port, 10, tables=True)
    return found


def compare(agent: Running, page: Page | None, seconds: float, rounds: int) -> Mapping[str, Spread]:
    """Each arm `rounds` times for `seconds`."""
    found = {name: Spread() for name in arms(agent, page)}
    for _ in range(rounds):
        for name, arm in arms(agent, page).items():
            with arm():
                time.sleep(SETTLE_S)
                before = agent.used()
                time.sleep(seconds)
                found[name].values.append(agent.used().since(before))
    return found


def in_percent(values: Sequence[float]) -> str:
    """The median, and the lowest and the highest."""
    median, low, high = (100 * value for value in (statistics.median(values), min(values), max(values)))
    return f"{median:.2f} % ({low:.2f} to {high:.2f})"


QUESTIONS: Mapping[str, str] = {
    "a file of the page, not changed (304 is a little less)": "/static/live/icon.svg",
    "snapshot": "/api/v1/snapshot",
    "processes": "/api/v1/processes",
    "jobs": "/api/v1/jobs",
    "runs": "/api/v1/runs",
    "power, all": "/api/v1/power",
    "history, 300 steps by component": "/api/v1/history?from=-300&step=1&by=component",
    "history, 300 steps by process": "/api/v1/history?from=-300&step=1&by=process",
    "history, 6 hours in 360 steps": "/api/v1/history?from=-21600&step=60&by=component",
    "live, snapshot and the newest second": "/api/v1/live?include=snapshot&after=-1.2&history_after=-2.2&step=1",
    "the same and processes": "/api/v1/live?include=snapshot,processes&after=-1.2&history_after=-2.2&step=1",
    "the same and jobs": "/api/v1/live?include=snapshot,processes,jobs&after=-1.2&history_after=-2.2&step=1",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What one question costs."""

    first_ms: float
    """CPU of the first to ask after a new sample: median."""
    again_ms: float
    """Of those that ask the same before the next sample: the answer, or its parts, are kept."""
    size_bytes: int


def requests(agent: Running, repeats: int) -> Iterator[tuple[str, Answered]]:
    """All questions, each right after a new sample, and again at once."""
    client = Client(agent.port)
    for name, path in QUESTIONS.items():
        first, again = [], []
        for _ in range(repeats):
            _next_sample(client)
            first.append(_cpu_s(agent, client, path))
            again.append(_cpu_s(agent, client, path))
        size = len(client.get(path))
        yield name, Answered(1000 * statistics.median(first), 1000 * statistics.median(again), size)
    client.close()


def _next_sample(client: Client) -> None:
    number = client.ask("snapshot", {})["number"]
    while client.ask("snapshot", {})["number"] == number:
        time.sleep(0.02)


def _cpu_s(agent: Running, client: Client, path: str) -> float:
    before = agent.used()
    client.get(path)
    return agent.used().other_s - before.other_s


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _clients(port: int, count: int, *, tables: bool) -> Iterator[None]:
    with polling(port, count, tables=tables):
        yield


@contextmanager
def _shown(page: Page, url: str) -> Iterator[None]:
    page.open(url)
    try:
        yield
    finally:
        page.leave()
