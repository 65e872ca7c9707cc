"""The life of the service: it starts, stops, and starts again."""

from __future__ import annotations

import signal
import socket
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aipower.daemon.serving.server import HttpService
from aipower.settings.address import Address
from daemon.services import DEADLINE_S, connected, get, read_to_end, service

LONGEST_STOP_S = 10.0
"""A stop takes about two seconds; the rest is for a machine that is busy with other things."""


def test_it_answers_from_start_to_stop() -> None:
    running = service()
    assert running.address == Address("127.0.0.1", 0)
    running.start()
    address = running.address
    assert address.port > 0
    assert get(running).text == "hello\n"
    running.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.host, address.port), timeout=DEADLINE_S)


def test_stop_is_safe_without_start_and_twice() -> None:
    running = service()
    running.stop()
    running.start()
    running.stop()
    running.stop()


def test_start_twice_starts_once() -> None:
    with service() as running:
        address = running.address
        running.start()
        assert running.address == address


def test_it_can_be_started_again_at_once_at_the_same_port() -> None:
    with service() as first:
        port = first.address.port
        assert get(first).status_code == 200
    with service(port) as second:
        assert second.address.port == port
        assert get(second).status_code == 200


def test_it_leaves_the_signal_handlers_alone() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with service():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_it_goes_on_after_its_first_ticks_and_the_date_of_its_answers_moves() -> None:
    with service() as running:
        first = get(running).headers["date"]
        end = time.monotonic() + DEADLINE_S
        while get(running).headers["date"] == first:
            assert time.monotonic() < end
            time.sleep(0.1)


def test_its_thread_is_gone_after_stop() -> None:
    with service():
        assert "aipower-http" in {thread.name for thread in threading.enumerate()}
    assert "aipower-http" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("send", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_stop_ends_soon_even_with_a_client_that_stays(send: bytes) -> None:
    running = service()
    running.start()
    with connected(running, send) as connection:
        if send.endswith(b"\r\n\r\n"):
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < LONGEST_STOP_S
        assert b"200" not in read_to_end(connection)
    assert "aipower-http" not in {thread.name for thread in threading.enumerate()}


def test_stop_ends_soon_even_while_a_page_hangs() -> None:
    entered, release = threading.Event(), threading.Event()

    async def hang(_request: Request) -> Response:
        entered.set()
        release.wait(DEADLINE_S)  # a page that blocks the whole loop is the worst that can happen
        return PlainTextResponse("late\n")

    running = HttpService(Starlette(routes=[Route("/", hang)]), "127.0.0.1", 0)
    running.start()
    thread = next(thread for thread in threading.enumerate() if thread.name == "aipower-http")
    with connected(running, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        assert entered.wait(DEADLINE_S)
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < LONGEST_STOP_S
        release.set()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


def test_an_application_that_fails_fails_its_requests_alone() -> None:
    async def application_with_a_bug(scope: object, receive: object, send: object) -> None:
        raise AssertionError(scope, receive, send)

    with HttpService(application_with_a_bug, "127.0.0.1", 0) as running:
        assert get(running).status_code == 500
