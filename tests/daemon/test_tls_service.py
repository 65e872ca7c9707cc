"""TLS and client certificates over real connections, and changes of them while the service runs."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from aipower.daemon.serving.server import HttpService, Limits
from aipower.errors import UsageError
from daemon.services import DEADLINE_S, application, connected, read_to_end
from daemon.sites import CLIENTS, PAIR, REQUEST, USERS, Site, site
from web.certificates import client_context, make_authority, make_pair


@pytest.fixture(name="site")
def a_site(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


# --- TLS ---


def test_pages_are_served_over_tls_and_not_without(site: Site) -> None:
    service = site.serve(PAIR)
    assert service.url.startswith("https://127.0.0.1:")
    assert site.get(service).text == "hello\n"
    with connected(service, REQUEST) as connection:
        assert b"200" not in read_to_end(connection)
    assert site.get(service).status_code == 200


def test_a_large_page_comes_whole_over_tls(site: Site) -> None:
    service = site.serve(PAIR)
    context = client_context(site.authority)
    with httpx.Client(verify=context, timeout=DEADLINE_S, base_url=service.url) as client:
        for headers in ({}, {"connection": "close"}):
            assert set(client.get("/large", headers=headers).content) == {ord("x")}


@pytest.mark.parametrize(("version", "works"), [(ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)])
def test_the_oldest_version_is_what_is_asked_for(site: Site, version: ssl.TLSVersion, works: bool) -> None:
    service = site.serve(f"{PAIR}  min_version: TLS13\n")
    context = client_context(site.authority)
    context.maximum_version = version
    address = (service.address.host, service.address.port)
    with socket.create_connection(address, timeout=DEADLINE_S) as connection:
        if works:
            with context.wrap_socket(connection, server_hostname="localhost") as wrapped:
                assert wrapped.version() == "TLSv1.3"
        else:
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(connection, server_hostname="localhost")


def test_the_suite_of_tls_12_is_the_one_that_is_asked_for(site: Site) -> None:
    service = site.serve(
        f"{PAIR}  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]\n"
    )
    with socket.create_connection((service.address.host, service.address.port), timeout=DEADLINE_S) as connection:
        wrapped = client_context(site.authority).wrap_socket(connection, server_hostname="localhost")
        assert wrapped.cipher() == ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2", 256)
        wrapped.close()


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HT"])
def test_a_handshake_that_never_ends_is_cut_off(site: Site, sent: bytes) -> None:
    service = site.serve(PAIR, Limits(request_s=1))
    with connected(service, sent) as connection:
        assert b"200" not in read_to_end(connection)


IMPORTS = """
import sys
from daemon.services import get, service
with service() as running:
    get(running)
print({"yaml", "bcrypt"} & set(sys.modules))
"""


def test_what_only_a_web_configuration_needs_is_not_loaded_without_one() -> None:
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    child = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout == "set()\n"


# --- clients' certificates ---


def test_a_client_needs_a_certificate_of_the_authority(site: Site, tmp_path: Path) -> None:
    service = site.serve(CLIENTS)
    assert site.get(service, site.client).status_code == 200
    (tmp_path / "other").mkdir()
    other = make_authority(tmp_path / "other")
    stranger = make_pair(tmp_path / "other", other, "client", "DNS:prometheus.example")
    for own in (None, stranger):
        with pytest.raises(httpx.TransportError):
            site.get(service, own)


def test_a_certificate_if_given_must_be_right(site: Site, tmp_path: Path) -> None:
    service = site.serve(CLIENTS.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven"))
    assert site.get(service).status_code == 200
    assert site.get(service, site.client).status_code == 200
    (tmp_path / "other").mkdir()
    stranger = make_pair(tmp_path / "other", make_authority(tmp_path / "other"), "client", "DNS:x")
    with pytest.raises(httpx.TransportError):
        site.get(service, stranger)


@pytest.mark.parametrize(
    ("names", "works"),
    [
        ("[prometheus.example]", True),
        ('["2001:db8::1"]', True),
        ("[x, prometheus.example]", True),
        ("[example]", False),
    ],
)
def test_only_certificates_with_an_allowed_name_come_in(site: Site, names: str, works: bool) -> None:
    service = site.serve(f"{CLIENTS}  client_allowed_sans: {names}\n")
    if works:
        assert site.get(service, site.client).status_code == 200
    else:
        with pytest.raises(httpx.TransportError):
            site.get(service, site.client)


@pytest.mark.parametrize("asks", ["RequireAndVerifyClientCert", "VerifyClientCertIfGiven"])
def test_a_client_is_verified_each_time_though_it_offers_an_old_session(site: Site, asks: str) -> None:
    """TLS 1.2 has a cache of sessions beside the tickets; the certificate may have ended meanwhile."""
    service = site.serve(CLIENTS.replace("RequireAndVerifyClientCert", asks))
    context = client_context(site.authority, site.client)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    first = visit(service, context)
    assert (first.text[:12], first.reused) == (b"HTTP/1.1 200", False)
    again = visit(service, context, first.session)
    assert (again.text, again.reused) == (b"", True)
    # The session is forgotten with the connection: a client that insists is verified.
    until(lambda: visit(service, context, first.session).text.startswith(b"HTTP/1.1 200"))
    assert not visit(service, context, first.session).reused


def test_a_session_goes_on_where_no_client_is_verified(site: Site) -> None:
    service, context = site.serve(PAIR), client_context(site.authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    again = visit(service, context, visit(service, context).session)
    assert (again.text[:12], again.reused) == (b"HTTP/1.1 200", True)


@dataclass(frozen=True)
class Visit:
    """What a client got, whether an old session was taken up, and the one to go on with next time."""

    text: bytes
    reused: bool | None
    session: ssl.SSLSession | None


def visit(service: HttpService, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> Visit:
    with (
        socket.create_connection((service.address.host, service.address.port), timeout=DEADLINE_S) as connection,
        context.wrap_socket(connection, server_hostname="localhost", session=session) as wrapped,
    ):
        with contextlib.suppress(ConnectionError):
            wrapped.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            text = read_to_end(wrapped)
        except ssl.SSLEOFError:
            text = b""
        return Visit(text, wrapped.session_reused, wrapped.session)


# --- changes ---


def test_everything_changes_on_reload_and_open_connections_stay(site: Site) -> None:
    service = site.serve("")
    with httpx.Client(base_url=service.url, timeout=DEADLINE_S) as early:
        assert early.get("/").status_code == 200
        service.reload(site.write(PAIR + USERS))
        assert service.url.startswith("https://")
        assert site.get(service).status_code == 401
        assert site.get(service, auth=("ada", "secret")).status_code == 200
        assert early.get("/", auth=("ada", "secret")).status_code == 200, "the connection is still there"
        assert early.get("/").status_code == 401, "and who asks is asked"
    service.reload(None)
    assert httpx.get(service.url, timeout=DEADLINE_S).status_code == 200


def test_a_wrong_file_is_refused_and_the_old_goes_on(site: Site) -> None:
    service = site.serve(USERS)
    path = site.write(USERS + "nonsense: 1\n")
    with pytest.raises(UsageError, match="nonsense"):
        service.reload(path)
    assert httpx.get(service.url, timeout=DEADLINE_S).status_code == 401
    with pytest.raises(UsageError, match="nonsense"):
        HttpService(application(), "127.0.0.1", 0, web_config=path)


def test_what_was_checked_is_put_in_force_whatever_the_file_says_by_then(site: Site) -> None:
    service = site.serve("")
    apply = service.check(path := site.write(USERS))
    assert httpx.get(service.url, timeout=DEADLINE_S).status_code == 200, "nothing is in force yet"
    path.write_text("nonsense: 1\n")
    apply()
    assert httpx.get(service.url, timeout=DEADLINE_S).status_code == 401


def test_a_renewed_certificate_is_shown_to_new_connections(site: Site, tmp_path: Path) -> None:
    service = site.serve(PAIR)
    (tmp_path / "new").mkdir()
    fresh = make_pair(tmp_path / "new", site.authority, "server", "DNS:localhost,DNS:fresh.example,IP:127.0.0.1")
    assert "fresh.example" not in shown_names(site, service)
    site.server.replace_from(fresh)
    until(lambda: "fresh.example" in shown_names(site, service))
    os.truncate(site.server.cert, 100)
    time.sleep(3.5)  # longer than between two looks
    assert "fresh.example" in shown_names(site, service)


def shown_names(site: Site, service: HttpService) -> str:
    with (
        socket.create_connection((service.address.host, service.address.port), timeout=DEADLINE_S) as connection,
        client_context(site.authority).wrap_socket(connection, server_hostname="localhost") as wrapped,
    ):
        return str(wrapped.getpeercert())


def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.2)
