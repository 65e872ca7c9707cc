"""A client that asks what the page asks, as often, without a browser: js/feed.js and js/questions.js in Python."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlencode

RANGE_S, STEP_S = 300, 1
PROCESSES_EVERY, JOBS_EVERY, ANEW_EVERY = 2, 6, 200
RUNS_EVERY_S = 10.0
PERIOD_S = 1.5
LIMIT_S = 30.0

Document = dict[str, Any]


class Client:
    """One page that is open, on a connection that is kept; with `tables` its tables are in sight."""

    def __init__(self, port: int, *, tables: bool = True) -> None:
        self._tables = tables
        self.polls = 0
        self.received_bytes = 0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
        self._turns = 0
        self._after: float | None = None
        self._history_after: float | None = None
        self._runs_s = 0.0

    def poll(self) -> None:
        """One turn of the page's feed."""
        if self._turns % ANEW_EVERY == 0:
            self._history_after = None
        live = self.ask("live", self._question())
        self._after = live["power"]["next"]
        if self._history_after is None:
            live["history"] = self.ask("history", {"from": -RANGE_S, "by": "component", "step": STEP_S})
        self._history_after = live["history"]["next"]
        if self._turns == 0 or (self._tables and time.monotonic() - self._runs_s >= RUNS_EVERY_S):
            self._runs_s = time.monotonic()
            self.ask("runs", {})
        self._turns += 1
        self.polls += 1

    def ask(self, resource: str, query: Mapping[str, object]) -> Document:
        """A document of the API."""
        question = f"?{urlencode(query, safe=',')}" if query else ""
        body = self.get(f"/api/v1/{resource}{question}")
        found: Document = json.loads(body)
        return found

    def get(self, path: str) -> bytes:
        """What is answered.

        Raises:
            OSError: The agent does not answer.
        """
        # A browser on this machine says so too; the agent compresses for others only.
        self._connection.request("GET", path, headers={"Accept-Encoding": "gzip, deflate, br"})
        response = self._connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise OSError(f"{path}: {response.status} {body[:200]!r}")
        self.received_bytes += len(body)
        return body

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _question(self) -> Document:
        include = ["snapshot"]
        for table, every in (("processes", PROCESSES_EVERY), ("jobs", JOBS_EVERY)):
            if self._turns == 0 or (self._tables and self._turns % every == 0):
                include.append(table)
        query: Document = {"include": ",".join(include)}
        if self._after is not None:
            query["after"] = self._after
        if self._history_after is not None:
            query |= {"by": "component", "step": STEP_S, "history_after": self._history_after}
        return query


@contextmanager
def polling(port: int, count: int, *, tables: bool) -> Iterator[list[Client]]:
    """So many pages that are open, each on a thread of its own, out of step with one another."""
    stop = threading.Event()
    clients = [Client(port, tables=tables) for _ in range(count)]

    def run(client: Client, delay_s: float) -> None:
        stop.wait(delay_s)
        while not stop.is_set():
            began_s = time.monotonic()
            client.poll()
            stop.wait(max(0.2, began_s + PERIOD_S - time.monotonic()))

    with ExitStack() as stack:
        for number, client in enumerate(clients):
            thread = threading.Thread(target=run, args=(client, PERIOD_S * number / count), daemon=True)
            thread.start()
            stack.callback(client.close)
            stack.callback(thread.join)
        stack.callback(stop.set)
        yield clients
