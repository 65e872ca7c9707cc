"""The monitors for the Prometheus Operator: their fields, and what a real Prometheus makes of their rules."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from fleet.server import DEADLINE_S, prometheus
from packages.tools import ROOT

KUBERNETES = ROOT / "deploy/kubernetes"
POD = KUBERNETES / "components/prometheus-operator/podmonitor.yaml"
SERVICE = KUBERNETES / "components/prometheus-operator-services/servicemonitor.yaml"
ENDPOINTS = {POD: "podMetricsEndpoints", SERVICE: "endpoints"}
ENDPOINT_FIELDS = {"port", "path", "interval", "honorLabels", "relabelings", "metricRelabelings"}
RELABEL_FIELDS = {"sourceLabels": "source_labels", "targetLabel": "target_label"} | {
    name: name for name in ("action", "regex", "replacement", "separator", "modulus")
}
"""Fields of the operator's API (monitoring.coreos.com/v1, operator 0.91), and what Prometheus calls them."""
TARGET = {
    "__meta_kubernetes_namespace": "aipower",
    "__meta_kubernetes_pod_name": "aipower-x7k2p",
    "__meta_kubernetes_pod_container_name": "agent",
    "__meta_kubernetes_pod_node_name": "gpu-node-3",
    "__meta_kubernetes_service_name": "aipower",
}
OPERATORS_OWN = [
    {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
    {"source_labels": ["__meta_kubernetes_pod_container_name"], "target_label": "container"},
    {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
    {"target_label": "job", "replacement": "aipower/aipower"},
    {"target_label": "endpoint", "replacement": "http"},
]
"""What the operator puts before the rules of a monitor, and for a ServiceMonitor one more."""
SERVICES_OWN = {"source_labels": ["__meta_kubernetes_service_name"], "target_label": "service"}
PAGE = """\
# TYPE aipower_device_energy_joules_total counter
aipower_device_energy_joules_total{device="GPU-1",kind="gpu",index="0"} 30
# TYPE aipower_device_energy_joules_created gauge
aipower_device_energy_joules_created{device="GPU-1",kind="gpu",index="0"} 1
# TYPE aipower_job_energy_joules_total counter
aipower_job_energy_joules_total{system="slurm",job="1234",device="GPU-1"} 10
aipower_job_energy_joules_total{system="idle",job="",device="GPU-1"} 20
# TYPE aipower_job_info gauge
aipower_job_info{system="kubernetes",job="03f3f104",namespace="ml",pod="train-0"} 1
"""


def load(path: Path) -> dict[str, Any]:
    """The one document of the file."""
    document = yaml.safe_load(path.read_text())
    assert isinstance(document, dict)
    return document


def endpoint(path: Path) -> dict[str, Any]:
    """The one endpoint of the monitor."""
    (only,) = load(path)["spec"][ENDPOINTS[path]]
    assert isinstance(only, dict)
    return only


def rules(path: Path, field: str) -> list[dict[str, Any]]:
    """The monitor's rules in Prometheus' own words."""
    return [{RELABEL_FIELDS[key]: value for key, value in rule.items()} for rule in endpoint(path)[field]]


@pytest.mark.parametrize("path", ENDPOINTS, ids=lambda path: path.stem)
def test_a_monitor_has_fields_that_the_operator_knows_and_finds_the_agent(path: Path) -> None:
    monitor = load(path)
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert set(monitor["spec"]) == {"selector", ENDPOINTS[path]}
    assert set(endpoint(path)) == ENDPOINT_FIELDS
    wanted = load(KUBERNETES / ("base/daemonset.yaml" if path == POD else "base/service.yaml"))
    metadata = wanted["spec"]["template"]["metadata"] if path == POD else wanted["metadata"]
    ports = wanted["spec"]["template"]["spec"]["containers"][0]["ports"] if path == POD else wanted["spec"]["ports"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= metadata["labels"].items()
    assert endpoint(path)["port"] in {port["name"] for port in ports}
    assert monitor["metadata"]["namespace"] == wanted["metadata"]["namespace"]


def test_both_monitors_do_the_same() -> None:
    ours, theirs = endpoint(POD), endpoint(SERVICE)
    assert theirs["relabelings"][1].pop("regex") == ours["relabelings"][1].pop("regex") + "|service"
    assert ours == theirs


@contextmanager
def page() -> Iterator[int]:
    """The port of a server of the page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(PAGE.encode())

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


def config(port: int) -> str:
    """What the operator makes of the monitors, with a target that it would have found; JSON is YAML."""
    jobs = [
        {
            "job_name": path.stem,
            "honor_labels": endpoint(path)["honorLabels"],
            "scrape_interval": "1s",
            "scrape_timeout": "1s",
            "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": TARGET | {"by": path.stem}}],
            "relabel_configs": OPERATORS_OWN + [SERVICES_OWN] * (path == SERVICE) + rules(path, "relabelings"),
            "metric_relabel_configs": rules(path, "metricRelabelings"),
        }
        for path in ENDPOINTS
    ]
    return json.dumps({"scrape_configs": jobs})


def series(url: str, by: str) -> list[dict[str, str]]:
    """All series of the page that one of the monitors has brought, as soon as they are there."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        query = f'{{__name__=~"aipower_.*",by="{by}"}}'
        found = httpx.get(f"{url}/api/v1/query", params={"query": query}, timeout=10).json()["data"]["result"]
        if found:
            return [row["metric"] for row in found]
        time.sleep(0.2)
    raise AssertionError("nothing was scraped")


def test_a_real_prometheus_knows_nodes_by_name_and_jobs_by_their_own(tmp_path: Path) -> None:
    with page() as port, prometheus(tmp_path / "p", tmp_path / "data", config(port), flags=()) as url:
        for path in ENDPOINTS:
            found = series(url, path.stem)
            assert {labels["instance"] for labels in found} == {"gpu-node-3"}
            shown = {
                (labels["__name__"], labels.get("system", ""), labels.get("job", ""), labels.get("pod", ""))
                for labels in found
            }
            assert shown == {
                ("aipower_device_energy_joules_total", "", "aipower", ""),
                ("aipower_job_energy_joules_total", "slurm", "1234", ""),
                ("aipower_job_energy_joules_total", "idle", "", ""),
                ("aipower_job_info", "kubernetes", "03f3f104", "train-0"),
            }
            assert all(not {"container", "endpoint", "service"} & set(labels) for labels in found)


def test_the_documented_command_makes_rules_of_the_operators_kind(tmp_path: Path) -> None:
    text = (ROOT / "docs/kubernetes.md").read_text(encoding="utf-8")
    (command,) = (block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "PrometheusRule" in block)
    apply = "kubectl apply -f -"
    assert apply in command
    shown = tmp_path / "shown.yml"
    subprocess.run(["sh", "-ec", command.replace(apply, f"cat >> {shown}")], cwd=ROOT, check=True, timeout=60)
    made = list(yaml.safe_load_all(shown.read_text()))
    files = [load(ROOT / f"config/prometheus/aipower.{part}.yml") for part in ("rules", "alerts")]
    assert [each["spec"] for each in made] == files
    assert {(each["apiVersion"], each["kind"]) for each in made} == {("monitoring.coreos.com/v1", "PrometheusRule")}
    assert len({each["metadata"]["name"] for each in made}) == len(made)
