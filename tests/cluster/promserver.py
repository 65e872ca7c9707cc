"""A real Prometheus, and questions to it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fleet.server import stop, tool

DEADLINE_S = 60.0
Fetch = Callable[[Callable[[], httpx.Response]], httpx.Response]


@dataclass(frozen=True, slots=True)
class Server:
    """A running Prometheus; `fetch` reaches it where it is."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]
    fetch: Fetch

    def get(self, path: str, **params: str) -> Any:
        """The `data` of an answer of its API."""
        response = self.fetch(lambda: httpx.get(f"{self.url}/api/v1/{path}", params=params, timeout=30))
        answer = response.json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The result of an instant query, at once."""
        result: list[dict[str, Any]] = self.get("query", query=query)["result"]
        return result

    def values(self, query: str, label: str) -> dict[str, float]:
        """The values of an instant query by one of its labels."""
        return {row["metric"].get(label, ""): float(row["value"][1]) for row in self.ask(query)}

    def samples(self, selector: str) -> list[tuple[float, float]]:
        """Times and values of the one series of a range, as `metric{...}[1m]`."""
        (row,) = self.ask(selector)
        return [(float(at_s), float(value)) for at_s, value in row["values"]]

    def until(self, query: str) -> list[dict[str, Any]]:
        """The result of `query` as soon as it has one."""
        end_s = time.monotonic() + DEADLINE_S
        while not (result := self.ask(query)):
            assert time.monotonic() < end_s, f"{query} had no result in {DEADLINE_S} s\n{self.log.read_text()}"
            time.sleep(0.1)
        return result


@contextlib.contextmanager
def prometheus(
    folder: Path,
    config: Mapping[str, object],
    listen: str,
    *,
    wrap: Callable[[Sequence[str]], list[str]] = list,
    fetch: Fetch = lambda function: function(),
) -> Iterator[Server]:
    """A Prometheus with `config`, ended by its pid; `wrap` says where it runs."""
    # JSON is YAML.
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    command = [
        tool("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={listen}",
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as output:
        process = subprocess.Popen(wrap(command), stdout=output, stderr=output, cwd=folder)
    server = Server(f"http://{listen}", log, process, fetch)
    try:
        _await_ready(server)
        yield server
    finally:
        stop(process)


def _await_ready(server: Server) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            if server.fetch(lambda: httpx.get(f"{server.url}/-/ready", timeout=5)).status_code == httpx.codes.OK:
                return
        assert server.process.poll() is None, server.log.read_text()
        assert time.monotonic() < end_s, server.log.read_text()
        time.sleep(0.1)
