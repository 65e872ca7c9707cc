"""The whole chain, live: real agents with simulated sensors, scraped by a real Prometheus once a second."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from daemon.agents import Agent, agent
from fleet.server import DEADLINE_S, prometheus

SCRAPE = {"scrape_interval": "1s", "scrape_timeout": "1s"}


@dataclass(frozen=True, slots=True)
class Live:
    """A Prometheus that scrapes agents."""

    url: str
    agents: tuple[Agent, ...]

    def until(self, expr: str) -> list[tuple[dict[str, str], float]]:
        """The answer of an instant query, as soon as it is not empty.

        Raises:
            AssertionError: It never came, or Prometheus refuses `expr`.
        """
        end_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < end_s:
            document = httpx.get(f"{self.url}/api/v1/query", params={"query": expr}, timeout=10).json()
            assert document["status"] == "success", document
            if found := document["data"]["result"]:
                return [(row["metric"], float(row["value"][1])) for row in found]
            time.sleep(0.2)
        raise AssertionError(f"no answer to {expr}: {[one.log.read_text() for one in self.agents]}")


@contextlib.contextmanager
def live(
    folder: Path, *, agents: int = 1, sensors: str = "fake:2", flags: Sequence[str] = (), rules: Sequence[Path] = ()
) -> Iterator[Live]:
    """Agents on ports of loopback and a Prometheus of them, ended with the block; `rules` are evaluated too."""
    with contextlib.ExitStack() as stack:
        running = []
        for number in range(agents):
            own = folder / f"agent-{number}"
            own.mkdir(parents=True)
            running.append(stack.enter_context(agent(own, "--sensors", sensors, *flags)))
        config = _config([one.address for one in running], rules)
        url = stack.enter_context(prometheus(folder / "prometheus", folder / "data", config, flags=()))
        yield Live(url, tuple(running))


def _config(targets: Sequence[str], rules: Sequence[Path]) -> str:
    """As JSON, which is YAML; scraped as `config/prometheus/scrape.yml` has it."""
    job = {"job_name": "aipower", "honor_labels": True, "static_configs": [{"targets": list(targets)}]}
    document = {
        "global": {**SCRAPE, "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [job],
    }
    return json.dumps(document)
