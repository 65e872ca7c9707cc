"""Many nodes behind one port: each has a path, and Prometheus takes each for a target of its own."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aipower.errors import AipowerError
from aipower_exporters.prometheus import PrometheusExporter
from benchmarks.cluster.simulated import SimulatedNode

READY_S = 60.0
QUERY_S = 120.0


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


@contextlib.contextmanager
def served(nodes: Sequence[SimulatedNode], exporter: PrometheusExporter) -> Iterator[int]:
    """The port on which the pages of `nodes` are, each at `/NAME/metrics`."""
    by_path = {f"/{node.name}/metrics": node for node in nodes}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body, content_type = exporter.render(by_path[self.path].snapshot(), self.headers.get("Accept", ""))
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def scrape_config(nodes: Sequence[SimulatedNode], port: int, interval_s: float, *, drop_created: bool) -> object:
    """As config/prometheus/scrape.yml has it, with a path for each node."""
    targets = [
        {
            "targets": [f"127.0.0.1:{port}"],
            "labels": {"__metrics_path__": f"/{node.name}/metrics", "instance": f"{node.name}:9877"},
        }
        for node in nodes
    ]
    drop = [{"source_labels": ["__name__"], "regex": "aipower_.*_created", "action": "drop"}]
    job = {
        "job_name": "aipower",
        "honor_labels": True,
        "static_configs": targets,
        "metric_relabel_configs": drop if drop_created else [],
    }
    interval = f"{round(interval_s * 1000)}ms"
    return {"global": {"scrape_interval": interval, "scrape_timeout": interval}, "scrape_configs": [job]}


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server."""

    url: str
    pid: int

    def get(self, path: str, parameters: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        """The `data` of an answer.

        Raises:
            AipowerError: Prometheus refuses the question; the message says why.
        """
        request = urllib.request.Request(  # noqa: S310 - http to ourselves
            f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        )
        try:
            with urllib.request.urlopen(request, timeout=QUERY_S) as answer:  # noqa: S310 - http to ourselves
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AipowerError(f"{parameters}: {error.read().decode()}") from error

    def values(self, query: str) -> list[float]:
        """The values of an instant query."""
        return [float(row["value"][1]) for row in self.get("query", {"query": query})["result"]]

    def resident_mb(self, name: str = "VmRSS") -> float:
        """Its resident memory now, or with `VmHWM` at its highest, in megabytes."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(name))


@contextlib.contextmanager
def prometheus(folder: Path, config: object) -> Iterator[Prometheus]:
    """A Prometheus with `config`, ended by its pid.

    Raises:
        AipowerError: It is not installed, or does not start.
    """
    program = shutil.which("prometheus")
    if program is None:
        raise AipowerError("prometheus is not installed: apt-get install prometheus")
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "prometheus.log").open("wb") as log:
        listen = f"--web.listen-address=127.0.0.1:{port}"
        process = subprocess.Popen([*command, listen], stdout=log, stderr=log, cwd=folder)
    try:
        server = Prometheus(f"http://127.0.0.1:{port}", process.pid)
        _await_ready(server, process, folder / "prometheus.log")
        yield server
    finally:
        process.terminate()
        process.wait(60)


def _await_ready(server: Prometheus, process: subprocess.Popen[bytes], log: Path) -> None:
    end_s = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < end_s:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{server.url}/-/ready", timeout=5):  # noqa: S310
            return
        time.sleep(0.1)
    raise AipowerError(f"Prometheus does not start: {log.read_text()[-2000:]}")
