"""The page as the real promtool and a real Prometheus server see it."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from aipower.model import Snapshot
from aipower_exporters.prometheus import PrometheusExporter
from aipower_exporters.samples import label_value
from exporters.snapshots import GPU0, NASTY, node
from fleet.server import prometheus, tool

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"
DEADLINE_S = 60.0
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: aipower
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def lint(page: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [tool("promtool"), "check", "metrics"], input=page, capture_output=True, timeout=60, check=False
    )


@pytest.mark.parametrize("snapshot", [node(), Snapshot(0.0, "0.1.0")], ids=["node", "bare"])
def test_promtool_finds_nothing_to_complain_of(snapshot: Snapshot) -> None:
    page, _ = PrometheusExporter().render(snapshot, "")
    done = lint(page)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_promtool_would_complain_of_a_bad_name() -> None:
    page, _ = PrometheusExporter().render(node(), "")
    assert lint(page.replace(b"joules_total", b"millijoules")).returncode != 0


def queries() -> list[str]:
    """The queries of the documentation."""
    return re.findall(r"```promql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def check_rules(folder: Path, rules: list[str]) -> subprocess.CompletedProcess[str]:
    path = folder / "rules.yml"
    # JSON is YAML, and needs no one to quote the queries.
    group = {"name": "docs", "rules": [{"record": f"q:{n}", "expr": expr} for n, expr in enumerate(rules)]}
    path.write_text(json.dumps({"groups": [group]}), encoding="utf-8")
    command = [tool("promtool"), "check", "rules", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_documented_queries_are_promql(tmp_path: Path) -> None:
    found = queries()
    assert len(found) >= 8
    done = check_rules(tmp_path, found)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(found)} rules found" in done.stdout
    assert check_rules(tmp_path, [*found, found[0].replace("|", r"\|")]).returncode != 0


@contextlib.contextmanager
def served(exporter: PrometheusExporter, answered: list[str]) -> Iterator[int]:
    """The port of a server of `exporter`; `answered` gets the content types that it sends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, content_type = exporter.render(node(), self.headers.get("Accept", ""))
            answered.append(content_type)
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def ask(url: str, query: str) -> list[dict[str, Any]]:
    """The result of an instant query, as soon as it is not empty."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        answer = httpx.get(f"{url}/api/v1/query", params={"query": query}, timeout=10)
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        if result:
            return result
        time.sleep(0.2)
    return []


def test_a_real_prometheus_scrapes_the_page_and_answers_queries_of_it(tmp_path: Path) -> None:
    tool("prometheus")
    answered: list[str] = []
    with (
        served(PrometheusExporter(), answered) as target,
        prometheus(tmp_path, tmp_path / "data", CONFIG.format(port=target), ()) as url,
    ):
        whole = ask(url, f'aipower_device_energy_joules_total{{device="{GPU0.id}"}}')
        parts = ask(url, f'sum(aipower_device_component_energy_joules_total{{device="{GPU0.id}"}})')
        nasty = ask(url, 'aipower_process_energy_error_joules{pid="4243"}')
        up = ask(url, 'up{job="aipower"}')
    assert float(whole[0]["value"][1]) == pytest.approx(10.000001, rel=1e-9)
    assert float(parts[0]["value"][1]) == pytest.approx(10.000001, rel=1e-9)
    assert nasty[0]["metric"]["comm"] == label_value(NASTY.comm)
    assert up[0]["value"][1] == "1"
    assert answered[0].startswith("application/openmetrics-text")
