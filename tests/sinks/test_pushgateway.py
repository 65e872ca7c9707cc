"""A real Pushgateway shows what /metrics shows; one that does not answer or refuses is a fault with a reason."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from aipower.errors import UsageError
from aipower.model import Device, JobEnergy, JobFacts, Owner, Snapshot
from aipower.sinks import SinkError
from aipower_exporters.metrics import METRICS
from aipower_exporters.prometheus import PrometheusExporter
from aipower_exporters.sinks.pushgateway import group_path, page_of, pushgateway
from exporters.snapshots import CPU0, GPU0, node
from sinks.machines import Listener, Series, free_port, listening, program, series_of, tool, wait_for
from sinks.plugins import DOCS, blocks

GATEWAY = "prometheus-pushgateway"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real one."""

    def command(port: int) -> list[str]:
        # Debian's keeps what it has in a file of the machine unless it is told not to.
        return [tool(GATEWAY, GATEWAY), f"--web.listen-address=127.0.0.1:{port}", "--persistence.file="]

    tool(GATEWAY, GATEWAY)
    folder: Path = tmp_path_factory.mktemp("gateway")
    with program(folder, command, "/-/ready") as url:
        yield url


def jobs_node() -> Snapshot:
    """A node with jobs: their label `job` is a key of the gateway's groups too."""

    def job(name: str, device: Device, energy_uj: int) -> JobEnergy:
        return JobEnergy(Owner("slurm", name, "0"), "ada", device, energy_uj, facts=JobFacts(name="train"))

    return replace(node(), jobs=(job("1234", GPU0, 3_000_000), job("1235", GPU0, 2_000_000), job("1234", CPU0, 7)))


def group(url: str, **labels: str) -> Series:
    """What the gateway shows of the group, without what it adds, with our own names of labels."""
    wanted = frozenset(labels.items())
    page = httpx.get(f"{url}/metrics", timeout=30).text
    found: Series = {}
    for (name, have), value in series_of(page).items():
        if name.startswith("aipower_") and wanted <= have:
            own = {k: v for k, v in have if k not in labels}
            own |= {"job": own.pop("exported_job")} if "exported_job" in own else {}
            found[name, frozenset(own.items())] = value
    return found


def shown(snapshot: Snapshot) -> Series:
    """What /metrics shows; the gateway prints numbers in another way."""
    page, _ = PrometheusExporter().render(snapshot, "")
    return series_of(page.decode())


def test_the_gateway_shows_the_page(gateway: str) -> None:
    sink = pushgateway({"url": gateway, "instance": "node1"}, "x")
    sink.push(jobs_node())
    found = group(gateway, job="aipower", instance="node1")
    assert found == shown(jobs_node())
    jobs = {dict(labels)["job"] for name, labels in found if name == "aipower_job_info"}
    assert jobs == {"1234", "1235"}


def test_a_page_with_the_label_job_would_be_refused(gateway: str) -> None:
    """So it is not pushed under that name."""
    sink = pushgateway({"url": gateway, "instance": "node7"}, "x")
    page, _ = PrometheusExporter().render(jobs_node(), "")
    with pytest.raises(SinkError, match="answers 400: pushed metrics are invalid") as caught:
        sink._target.send("PUT", page, {})
    assert caught.value.reason == "rejected"


def test_a_push_takes_the_place_of_the_one_before_and_touches_no_other_node(gateway: str) -> None:
    first = pushgateway({"url": f"{gateway}/", "instance": "node2", "grouping": {"rack": "a/b", "row": ""}}, "x")
    second = pushgateway({"url": gateway, "instance": "node3"}, "x")
    second.push(node())
    first.push(jobs_node())
    first.push(Snapshot(0.0, "0.2.0"))
    assert group(gateway, job="aipower", instance="node2", rack="a/b") == shown(Snapshot(0.0, "0.2.0"))
    assert group(gateway, job="aipower", instance="node3") == shown(node())


@pytest.mark.parametrize("delete", [False, True])
def test_the_group_leaves_at_the_end_where_that_is_wanted(gateway: str, delete: bool) -> None:
    instance = f"leaver-{delete}"
    sink = pushgateway({"url": gateway, "instance": instance, "delete": delete}, "x")
    sink.push(node())
    sink.close()
    assert bool(group(gateway, job="aipower", instance=instance)) is not delete


def test_one_that_has_pushed_nothing_deletes_nothing(gateway: str) -> None:
    pushgateway({"url": gateway, "instance": "node5"}, "x").push(node())
    pushgateway({"url": gateway, "instance": "node5", "delete": True}, "x").close()
    assert group(gateway, job="aipower", instance="node5")


def test_what_the_gateway_says_against_a_page_is_told(gateway: str) -> None:
    sink = pushgateway({"url": gateway, "instance": "node4"}, "x")
    sink._target.send("PUT", page_of(node()), {})
    with pytest.raises(SinkError, match="answers 400: ") as caught:
        sink._target.send("PUT", b"no metrics at all", {})
    assert caught.value.reason == "rejected"
    assert group(gateway, job="aipower", instance="node4") == shown(node())


@pytest.mark.parametrize(
    ("groups", "path"),
    [
        ({"job": "aipower", "instance": "node1"}, "/metrics/job/aipower/instance/node1"),
        ({"job": "a b%", "instance": "ü"}, "/metrics/job/a%20b%25/instance/%C3%BC"),
        ({"job": "a/b", "instance": ""}, "/metrics/job@base64/YS9i/instance@base64/="),
    ],
)
def test_the_address_of_a_group(groups: dict[str, str], path: str) -> None:
    assert group_path(groups) == path


def test_passwords_and_tokens_go_along_and_are_read_anew(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    with listening(Listener()) as listener:
        by_token = pushgateway({"url": listener.url, "token_file": str(token)}, "x")
        by_token.push(node())
        token.write_text("second\n")
        by_token.push(node())
        pushgateway({"url": listener.url, "username": "ada", "password": "lace"}, "x").push(node())
    sent = [request.headers["Authorization"] for request in listener.requests]
    assert sent == ["Bearer first", "Bearer second", "Basic " + base64.b64encode(b"ada:lace").decode()]
    assert [request.method for request in listener.requests] == ["PUT"] * 3


def test_nobody_listens() -> None:
    sink = pushgateway({"url": f"http://127.0.0.1:{free_port()}"}, "x")
    with pytest.raises(SinkError, match="Connection refused") as caught:
        sink.push(node())
    assert caught.value.reason == "refused"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "url: missing; expected a string"),
        ({"url": "push:9091"}, "url: expected an address as in http://push.example.org:9091"),
        ({"url": "http://push:99999"}, "url: expected an address as in http://push.example.org:9091"),
        ({"url": "ftp://push"}, "url: expected an address as in http://push.example.org:9091"),
        ({"url": "http://push/?x=1"}, "url: expected an address as in http://push.example.org:9091"),
        (
            {"url": "http://a:b@push"},
            "url: expected an address without a password in it; see username and password_file",
        ),
        ({"url": "http://push", "job": ""}, "job: expected a name"),
        ({"url": "http://push", "grouping": {"kind": "x"}}, "grouping:"),
        ({"url": "http://push", "grouping": {"a-b": "x"}}, "grouping:"),
        ({"url": "http://push", "grouping": {"a": 1}}, "grouping: expected a string for"),
        ({"url": "http://push", "delete": "no"}, "delete: expected true or false"),
        ({"url": "http://push", "uri": "x"}, 'uri: unknown key; did you mean "url"?'),
    ],
)
def test_wrong_options_are_told(options: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        pushgateway(options, "x")
    assert str(caught.value).startswith(text)


def answer(url: str, query: str) -> list[dict[str, str]]:
    """The labels of what a query finds, as soon as that is anything."""
    found: list[dict[str, str]] = []

    def asked() -> bool:
        reply = httpx.get(f"{url}/api/v1/query", params={"query": query}, timeout=30).json()
        found[:] = [row["metric"] for row in reply["data"]["result"]]
        return bool(found)

    wait_for(asked)
    return found


def test_a_real_prometheus_reads_the_gateway_as_the_documentation_says(gateway: str, tmp_path: Path) -> None:
    pushgateway({"url": gateway, "instance": "node6"}, "x").push(jobs_node())
    (scrape,) = [block for block in blocks("yaml") if "exported_job" in block]
    text = scrape.replace("push.example.org:9091", gateway.removeprefix("http://"))
    (tmp_path / "prometheus.yml").write_text(f"global: {{scrape_interval: 1s}}\n{text}")

    def command(port: int) -> list[str]:
        return [
            tool("prometheus", "prometheus"),
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]

    tool("prometheus", "prometheus")
    (fresh,) = re.findall(r"`(aipower_device_power_watts and [^`]*)`", DOCS.read_text().replace("\n", " "))
    with program(tmp_path, command, "/-/ready") as url:
        jobs = answer(url, 'aipower_job_info{instance="node6"}')
        idle = answer(url, 'aipower_job_energy_joules_total{instance="node6",system="idle"}')
        powers = answer(
            url, fresh.replace("aipower_device_power_watts", 'aipower_device_power_watts{instance="node6"}')
        )
    assert {(row["job"], row["name"]) for row in jobs} == {("1234", "train"), ("1235", "train")}
    assert not any("exported_job" in row for row in jobs)
    assert not any("job" in row for row in idle)
    (regex,) = re.findall(r"regex: (\(\?:aipower.*)", scrape)
    assert {metric for metric in METRICS if re.fullmatch(regex, f"{metric.name};x")} == {
        metric for metric in METRICS if "job" in metric.labels
    }
    assert {(row["job"], row["device"]) for row in powers} == {("aipower", "GPU-0aaa"), ("aipower", "package-0")}
