"""The agent's pages, asked for over real sockets."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from aipower.daemon.health import STOPPING, Health
from aipower.daemon.serving.http import HttpService, make_app
from aipower.model import Snapshot
from aipower.seams import Exporter
from aipower.web.compression import accepts_gzip
from aipower_exporters.prometheus import PrometheusExporter
from exporters.snapshots import node

WELL = Health(ok=True, sample_age_s=0.25)
Start = Callable[..., httpx.Client]


@dataclass(frozen=True)
class Echo:
    """An exporter that shows what it was asked."""

    path: str = "/echo"

    def render(self, snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
        return f"{snapshot.version} for {accept}".encode(), "text/x-echo; charset=utf-8"


@dataclass(frozen=True)
class Broken:
    """An exporter with a bug."""

    path: str = "/broken"

    def render(self, snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
        raise ZeroDivisionError(f"a bug with {snapshot.version}{accept}")


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a service and gives a client of it; both end with the test."""
    with ExitStack() as stack:

        def client(
            *exporters: Exporter,
            snapshot: Callable[[], Snapshot | None] = node,
            healthy: Callable[[], Health] = lambda: WELL,
            ready: Callable[[], Health] | None = None,
            settle: Callable[[Snapshot], Awaitable[None]] | None = None,
        ) -> httpx.Client:
            app = make_app(snapshot, exporters, healthy, ready=ready, settle=settle)
            service = stack.enter_context(HttpService(app, "127.0.0.1", 0))
            return stack.enter_context(httpx.Client(base_url=f"http://{service.address}", timeout=30))

        yield client


# --- exporters ---


def test_metrics_are_served_as_prometheus_reads_them(start: Start) -> None:
    answer = start(PrometheusExporter()).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert "aipower_device_energy_joules" in names


def test_openmetrics_is_served_where_it_is_asked_for(start: Start) -> None:
    answer = start(PrometheusExporter()).get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert "Accept" in answer.headers["vary"]
    assert answer.text.endswith("# EOF\n")


def test_each_exporter_has_its_path_and_sees_the_accept_headers(start: Start) -> None:
    client = start(Echo(), Echo("/other"))
    headers = [("accept", "text/plain"), ("accept", "text/html;q=0.5")]
    answer = client.get("/other", headers=headers)
    assert answer.text == "0.1.0 for text/plain,text/html;q=0.5"
    assert answer.headers["content-type"] == "text/x-echo; charset=utf-8"
    assert client.get("/echo").status_code == 200


def test_before_the_first_sample_it_is_503_and_then_200(start: Start) -> None:
    taken: list[Snapshot] = []
    client = start(Echo(), snapshot=lambda: taken[-1] if taken else None)
    early = client.get("/echo")
    assert (early.status_code, early.text) == (503, "no sample has been taken yet; try again in a moment\n")
    taken.append(node())
    assert client.get("/echo").status_code == 200


def test_two_exporters_cannot_share_a_path() -> None:
    with pytest.raises(ValueError, match="the same path"):
        make_app(node, [Echo(), Echo()], lambda: WELL)
    with pytest.raises(ValueError, match="the same path"):
        make_app(node, [Echo("/healthz")], lambda: WELL)


def test_a_bug_in_an_exporter_is_500_in_one_line_and_logged_and_the_rest_goes_on(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    client = start(Broken(), Echo())
    answer = client.get("/broken")
    assert (answer.status_code, answer.text) == (500, "500 the agent failed to answer; see its log\n")
    assert client.get("/echo").status_code == 200
    assert any("a bug with 0.1.0" in str(record.exc_info) for record in caplog.records)


def test_many_scrapers_at_once_all_get_the_whole_page(start: Start) -> None:
    client = start(PrometheusExporter())
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.get("/metrics"), range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


# --- settling ---


def test_a_snapshot_is_settled_before_it_is_shown(start: Start) -> None:
    settled: list[float] = []

    async def settle(snapshot: Snapshot) -> None:
        await asyncio.sleep(0.01)
        settled.append(snapshot.at_unix_s)

    numbers = iter(range(1, 100))
    client = start(Echo(), snapshot=lambda: replace(node(), at_unix_s=next(numbers)), settle=settle)
    for number in (1, 2):
        assert client.get("/echo").status_code == 200
        assert settled[-1] == number
    assert client.get("/-/healthy").status_code == 200
    assert settled == [1, 2]


# --- health and index ---


def test_health_is_200_while_all_is_well(start: Start) -> None:
    answer = start().get("/healthz")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"status": "ok", "sample_age_s": 0.25}


@pytest.mark.parametrize("age_s", [None, 31.5, math.inf, math.nan])
def test_health_is_503_with_the_reason_while_the_sampler_is_stale(start: Start, age_s: float | None) -> None:
    sick = Health(ok=False, reason='the last sample is "old"', sample_age_s=age_s)
    answer = start(healthy=lambda: sick).get("/healthz")
    assert answer.status_code == 503
    assert json.loads(answer.text) == {
        "status": "stale",
        "reason": 'the last sample is "old"',
        "sample_age_s": 31.5 if age_s == 31.5 else None,
    }


def test_health_is_503_while_it_starts(start: Start) -> None:
    answer = start(healthy=lambda: Health(ok=False, reason="looking", starting=True)).get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "starting", "reason": "looking", "sample_age_s": None}


def test_health_is_asked_anew_each_time(start: Start) -> None:
    states = [Health(ok=False, reason="starting"), WELL]
    client = start(healthy=lambda: states.pop(0))
    assert [client.get("/healthz").status_code for _ in range(2)] == [503, 200]


def test_health_has_its_usual_name_and_the_old_one(start: Start) -> None:
    states = [WELL, Health(ok=False, reason="stale")]
    client = start(healthy=lambda: states[0])
    assert [client.get(path).status_code for path in ("/healthz", "/-/healthy")] == [200, 200]
    del states[0]
    assert [client.get(path).status_code for path in ("/healthz", "/-/healthy")] == [503, 503]


def test_readiness_is_health_unless_it_is_told_apart(start: Start) -> None:
    sick = Health(ok=False, reason="old")
    assert start(healthy=lambda: sick).get("/-/ready").status_code == 503
    answer = start(ready=lambda: STOPPING).get("/-/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "stopping")
    assert start(ready=lambda: STOPPING).get("/-/healthy").status_code == 200


def test_pages_are_plain_text_to_every_browser(start: Start) -> None:
    client = start(Echo())
    for path in ("/", "/echo", "/-/ready", "/none"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_the_index_names_every_page(start: Start) -> None:
    answer = start(Echo(), Echo("/metrics")).get("/")
    assert answer.status_code == 200
    assert answer.text.splitlines() == ["aipower agent", "", "/echo", "/metrics", "/-/healthy", "/-/ready", "/healthz"]


# --- methods and errors ---


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics"])
def test_head_has_the_headers_of_get_and_no_body(start: Start, path: str) -> None:
    client = start(PrometheusExporter())
    whole, head = client.get(path), client.head(path)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-type", "content-length"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/echo"])
def test_other_methods_are_405(start: Start, method: str, path: str) -> None:
    answer = start(Echo()).request(method, path, content=b"x")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert answer.text == "405 Method Not Allowed; the pages are listed at /\n"


@pytest.mark.parametrize("path", ["/none", "/metrics/", "/metrics/../x", "/%2e%2e/etc/passwd"])
def test_other_paths_are_404_in_one_line(start: Start, path: str) -> None:
    answer = start(PrometheusExporter()).get(path)
    assert (answer.status_code, answer.text) == (404, "404 Not Found; the pages are listed at /\n")


# --- compression ---


def test_the_page_is_compressed_where_that_is_asked_for(start: Start) -> None:
    client = start(PrometheusExporter())
    plain = client.get("/metrics", headers={"accept-encoding": "identity"})
    small = client.get("/metrics", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert small.text == plain.text
    assert set(small.headers["vary"].split(", ")) == {"Accept", "Accept-Encoding"}


@pytest.mark.parametrize("header", ["gzip;q=0", "gzip; q=0.0, identity", "*;q=0", "deflate", "gzip;q=0, *", ""])
def test_the_page_is_plain_where_compression_is_refused(start: Start, header: str) -> None:
    answer = start(PrometheusExporter()).get("/metrics", headers={"accept-encoding": header})
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("header", ["GZip", "deflate, gzip;q=0.1", "*", "gzip;q=1.000, identity;q=0"])
def test_the_page_is_compressed_whichever_way_that_is_said(start: Start, header: str) -> None:
    answer = start(PrometheusExporter()).get("/metrics", headers={"accept-encoding": header})
    assert answer.headers["content-encoding"] == "gzip"


@given(st.text(alphabet="gzip*;,=q 0.19x", max_size=30))
def test_any_accept_encoding_is_understood_or_taken_for_no(header: str) -> None:
    wanted = accepts_gzip(header)
    assert not (wanted and "gzip" not in header and "*" not in header)
