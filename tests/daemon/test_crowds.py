"""Five hundred clients that hold on to the service do not hold up a scrape."""

from __future__ import annotations

import http.client
import ssl
import time
from pathlib import Path

import pytest

from daemon.crowd import DEADLINE_S, REQUEST, Child, Crowd, Pest, child
from web.certificates import client_context, make_authority, make_pair

EACH = 100
SCRAPES = 60
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""The beginning of a handshake."""
TRICKLE = b"GET / HTTP/1.1\r\nX-Slow: "
WEB_CONFIG = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
PAGE_BYTES = 400_000
GROWTH_BYTES = 80_000_000


def scrape_s(service: Child, context: ssl.SSLContext | None) -> float:
    """Seconds for a new connection and the whole page."""
    began_s = time.monotonic()
    connection = http.client.HTTPConnection("localhost", service.port, timeout=DEADLINE_S)
    if context:
        connection = http.client.HTTPSConnection("localhost", service.port, timeout=DEADLINE_S, context=context)
    connection.request("GET", "/metrics", headers={"Accept-Encoding": "identity"})
    answer = connection.getresponse()
    assert answer.status == 200
    assert len(answer.read()) > 0.9 * PAGE_BYTES
    connection.close()
    return time.monotonic() - began_s


def bear(service: Child, pests: list[Pest], context: ssl.SSLContext | None = None) -> None:
    scrape_s(service, context)
    before = service.figures()
    with Crowd(service.port, pests):
        times_s = sorted(scrape_s(service, context) for _ in range(SCRAPES))
        assert times_s[int(0.99 * SCRAPES)] < 1
        during = service.figures()
        assert during[0] > before[0] + EACH, "they are there"
        assert during[1] - before[1] < GROWTH_BYTES
    service.until_freed(before[0])
    log = service.log.read_text()
    assert "Traceback" not in log
    assert len(log.splitlines()) < 10, log


def test_500_clients_over_http(tmp_path: Path) -> None:
    pests = [
        Pest(first, drip)
        for first, drip in ((b"", b""), (TRICKLE, b"x"), (REQUEST * 3, b""), (REQUEST, b""))
        for _ in range(EACH)
    ]
    pests += [Pest(REQUEST, b"x") for _ in range(EACH)]
    with child(tmp_path, PAGE_BYTES) as service:
        bear(service, pests)


def test_500_clients_over_tls(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    make_pair(tmp_path, authority, "server", "DNS:localhost")
    web_config = tmp_path / "web.yml"
    web_config.write_text(WEB_CONFIG)
    context = client_context(authority)
    pests = [Pest(first, drip) for first, drip in ((b"", b""), (HELLO, b""), (HELLO, b"\0")) for _ in range(EACH)]
    pests += [Pest(first, drip, context) for first, drip in ((TRICKLE, b"x"), (REQUEST, b"")) for _ in range(EACH)]
    with child(tmp_path, PAGE_BYTES, web_config) as service:
        bear(service, pests, context)


@pytest.mark.parametrize("count", [2000])
def test_more_clients_than_places_leave_one_for_a_scrape(tmp_path: Path, count: int) -> None:
    with child(tmp_path, 10_000) as service:
        before = service.figures()
        connections = [Pest(b"") for _ in range(count)]
        with Crowd(service.port, connections):
            assert service.figures()[0] < 1200
            request = http.client.HTTPConnection("localhost", service.port, timeout=DEADLINE_S)
            request.request("GET", "/metrics")
            assert request.getresponse().status == 200
            request.close()
        service.until_freed(before[0])
