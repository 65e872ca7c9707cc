"""Starting the real `aipower agent` and reading its pages."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

LIMIT_S = 60.0
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True, slots=True)
class Agent:
    """A running agent."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    def page(self, path: str = "/metrics", accept: str = "") -> str:
        """A page, whatever its status; "" while nobody answers."""
        request = urllib.request.Request(f"http://{self.address}{path}", headers={"Accept": accept} if accept else {})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http to ourselves
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return str(error.read().decode())
        except OSError:
            return ""

    def series(self) -> Series:
        """All samples of /metrics."""
        families = text_string_to_metric_families(self.page())
        return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}

    def until(self, text: str) -> str:
        """The metrics page once it holds `text`."""
        deadline_s = time.monotonic() + LIMIT_S
        while text not in (page := self.page()):
            assert time.monotonic() < deadline_s, f"{text} never came:\n{page}\n{self.log.read_text()}"
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        return page

    def until_healthy(self) -> None:
        """Returns once samples come."""
        deadline_s = time.monotonic() + LIMIT_S
        while '"ok"' not in (page := self.page("/healthz")):
            assert time.monotonic() < deadline_s, f"{page}\n{self.log.read_text()}"
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def until_logged(self, text: str) -> None:
        """Returns once the log holds `text`."""
        deadline_s = time.monotonic() + LIMIT_S
        while text not in self.log.read_text():
            assert time.monotonic() < deadline_s, self.log.read_text()
            time.sleep(0.05)


def total(series: Series, name: str, **labels: str) -> float:
    """The sum of the samples of `name` that have `labels`."""
    wanted = labels.items()
    return sum(value for (found, have), value in series.items() if found == name and wanted <= dict(have).items())


@contextmanager
def agent(
    folder: Path, *flags: str, env: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
) -> Iterator[Agent]:
    """An agent on a free port of loopback, ended by its pid; `prefix` is a command that becomes it."""
    log = folder / "agent.log"
    alone = {"AIPOWER_POWERCAP_ROOT": "/nonexistent", "AIPOWER_STATE_DIR": "none", "AIPOWER_SOCKET": "none"}
    variables = {**os.environ, **alone, **(env or {})}
    argv = [*prefix, sys.executable, "-m", "aipower", "agent", "--listen", "127.0.0.1:0", *flags]
    with log.open("w") as errors:
        process = subprocess.Popen(argv, stderr=errors, env=variables, cwd=folder, text=True)
    try:
        yield Agent(process, _address(process, log), log)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(LIMIT_S)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    deadline_s = time.monotonic() + LIMIT_S
    while "serves http://" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline_s, log.read_text()
        time.sleep(0.02)
    return log.read_text().split("serves http://")[1].split("/")[0]
