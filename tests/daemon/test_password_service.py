"""Passwords and headers of a web configuration, over real connections."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import bcrypt
import httpx
import pytest

from daemon.services import DEADLINE_S, connected, read_to_end
from daemon.sites import USERS, Site, site


@pytest.fixture(name="site")
def a_site(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


# --- passwords ---


@pytest.mark.parametrize("path", ["/", "/none", "/large"])
def test_nothing_is_shown_without_the_password(site: Site, path: str) -> None:
    service = site.serve(USERS)
    for auth in (None, ("ada", "wrong"), ("eve", "secret")):
        answer = httpx.get(service.url + path, auth=auth, timeout=DEADLINE_S)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Basic realm="aipower", charset="UTF-8"'
        assert answer.text == "401 Unauthorized: a user and a password are wanted\n"
    assert httpx.get(service.url + path, auth=("ada", "secret"), timeout=DEADLINE_S).status_code != 401


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic YWRh",
        "Basic YWRhOnNlY3JldA",
        "Bearer YWRhOnNlY3JldA==",
        "Basic \x7f",
        "Basic YWRhOnNlY3JldA==, x",
    ],
)
def test_strange_credentials_are_none(site: Site, header: str) -> None:
    service = site.serve(USERS)
    request = f"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {header}\r\n\r\n".encode()
    with connected(service, request) as connection:
        assert read_to_end(connection).startswith((b"HTTP/1.1 401", b"HTTP/1.1 400"))


def test_two_credentials_are_none_and_a_small_scheme_will_do(site: Site) -> None:
    service = site.serve(USERS)
    line = b"Authorization: basic YWRhOnNlY3JldA==\r\n"
    for count, status in ((1, b"200"), (2, b"401")):
        request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + line * count + b"\r\n"
        with connected(service, request) as connection:
            assert read_to_end(connection)[9:12] == status


def test_a_flood_of_guesses_is_turned_away_and_who_is_known_is_served_at_once(site: Site) -> None:
    slow = bcrypt.hashpw(b"secret", bcrypt.gensalt(10)).decode()
    service = site.serve(f"basic_auth_users:\n  ada: {slow}\n")
    with (
        httpx.Client(base_url=service.url, auth=("ada", "secret"), timeout=DEADLINE_S) as scraper,
        ExitStack() as stack,
    ):
        assert scraper.get("/").status_code == 200
        guessers = [stack.enter_context(connected(service)) for _ in range(60)]
        for number, guesser in enumerate(guessers):
            guess = httpx.BasicAuth("ada", str(number))._auth_header
            guesser.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {guess}\r\n\r\n".encode())
        began_s = time.monotonic()
        assert scraper.get("/").status_code == 200
        assert time.monotonic() - began_s < 1
        last = guessers[-1].recv(4096)
        assert last.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in last


# --- headers ---


def test_the_headers_of_the_configuration_are_on_every_answer(site: Site) -> None:
    text = "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    Content-Security-Policy:\n"
    service = site.serve(text + USERS)
    for auth in (None, ("ada", "secret")):
        headers = httpx.get(service.url, auth=auth, timeout=DEADLINE_S).headers
        assert headers["x-frame-options"] == "deny"
        assert headers["x-content-type-options"] == "nosniff"
        assert "content-security-policy" not in headers
