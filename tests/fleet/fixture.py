"""The simulated nodes in a real Prometheus, for tests: `from fleet.fixture import fleet` in a `conftest.py`.

`fleet` is a session's fixture. The data are made once for each session of tests, by whichever of its processes comes
first; each process has a Prometheus of its own over them. All times are the story's (see `fleet.plan`): ask at
`fleet.end_unix_s`, not now. Series are as a scrape with `honor_labels: true` stores them, see
`config/prometheus/scrape.yml`: the label `job` of `aipower_job_*` and of the infos is the page's own, elsewhere it
is `aipower`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleet.build import build
from fleet.plan import END_UNIX_S, START_UNIX_S
from fleet.server import prometheus, tool
from fleet.truth import Truth

TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer over time."""

    labels: Mapping[str, str]
    values: tuple[tuple[float, float], ...]
    """Pairs of a time and a value."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """A Prometheus of the simulated nodes."""

    url: str
    start_unix_s: float
    end_unix_s: float
    truth: Truth
    documents: tuple[Path, ...]
    """All samples but the recorded ones as OpenMetrics with times, in files of two hours, for other engines."""

    def query(self, expr: str, at_unix_s: float | None = None) -> list[Sample]:
        """The answer at a moment, by default the end of the story.

        Raises:
            AssertionError: Prometheus refuses `expr`; the message says why.
        """
        at = self.end_unix_s if at_unix_s is None else at_unix_s
        found = self._ask("query", {"query": expr, "time": f"{at:.3f}"})
        if found["resultType"] == "scalar":
            return [Sample({}, float(found["result"][1]))]
        return [Sample(row["metric"], float(row["value"][1])) for row in found["result"]]

    def query_range(self, expr: str, start_unix_s: float, end_unix_s: float, step_s: float = 60.0) -> list[Series]:
        """The answers from `start_unix_s` to `end_unix_s`.

        Raises:
            AssertionError: Prometheus refuses `expr`; the message says why.
        """
        times = {"start": f"{start_unix_s:.3f}", "end": f"{end_unix_s:.3f}", "step": f"{step_s:g}"}
        found = self._ask("query_range", {"query": expr, **times})
        return [
            Series(row["metric"], tuple((at, float(value)) for at, value in row["values"])) for row in found["result"]
        ]

    def value(self, expr: str, at_unix_s: float | None = None) -> float:
        """The one value of an answer that has one series.

        Raises:
            AssertionError: It has none, or several.
        """
        found = self.query(expr, at_unix_s)
        assert len(found) == 1, f"{expr}: {found}"
        return found[0].value

    def by(self, label: str, expr: str, at_unix_s: float | None = None) -> dict[str, float]:
        """The values by one label; `` where a series has none."""
        return {row.labels.get(label, ""): row.value for row in self.query(expr, at_unix_s)}

    def _ask(self, kind: str, parameters: Mapping[str, str]) -> Any:
        answer = httpx.post(f"{self.url}/api/v1/{kind}", data=dict(parameters), timeout=TIMEOUT_S)
        document = answer.json()
        assert document["status"] == "success", f"{parameters['query']}: {document.get('error')}"
        return document["data"]


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The simulated nodes, with the recorded series of `config/prometheus` too."""
    tool("prometheus")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    built = _built_once(shared / "fleet")
    own = tmp_path_factory.mktemp("fleet-prometheus")
    # Blocks are never written to: links will do.
    shutil.copytree(built / "data", own / "data", copy_function=os.link)
    truth: Truth = pickle.loads((built / "truth").read_bytes())  # noqa: S301 - our own file
    with prometheus(own, own / "data") as url:
        yield Fleet(url, START_UNIX_S, END_UNIX_S, truth, tuple(sorted((built / "work").glob("*.om"))))


def _built_once(folder: Path) -> Path:
    """`folder` with data and truth, made by the first who asks; the others wait."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock, contextlib.ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stack.callback(fcntl.flock, lock, fcntl.LOCK_UN)
        if not (folder / "done").exists():
            (folder / "truth").write_bytes(pickle.dumps(build(folder / "data", folder / "work")))
            (folder / "done").touch()
    return folder
