"""What clients may and may not do to the service."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable

import psutil
import pytest

from aipower.daemon.serving.server import HttpService, Limits
from daemon.services import DEADLINE_S, LARGE_BYTES, connected, get, read_to_end, service

QUICK = Limits(keep_alive_s=1, request_s=1.5, write_s=1)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def connections(running: HttpService) -> int:
    """The service's ends of connections."""
    ends = psutil.Process().net_connections("tcp")
    return sum(
        end.laddr.port == running.address.port and end.status != psutil.CONN_LISTEN for end in ends if end.laddr
    )


def wait_until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_answers_do_not_tell_which_server_it_is_and_nothing_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "root"), service() as running:
        assert "server" not in get(running).headers
        with connected(running, b"rubbish\r\n\r\n") as connection:
            assert read_to_end(connection).startswith(b"HTTP/1.1 400")
        assert get(running).status_code == 200
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_an_idle_connection_is_closed() -> None:
    with (
        service(limits=QUICK) as running,
        connected(running, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as connection,
    ):
        assert read_to_end(connection).endswith(b"hello\n")


@pytest.mark.parametrize("send", [b"", b"GET / HTTP/1.1\r\nX-Slow: "])
def test_a_client_that_never_finishes_its_request_is_cut_off(send: bytes) -> None:
    with service(limits=QUICK) as running, connected(running, send) as connection:
        assert read_to_end(connection) == b""


def test_a_client_that_never_finishes_its_second_request_is_cut_off() -> None:
    first = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with service(limits=QUICK) as running, connected(running, first + b"GET / HT") as connection:
        assert read_to_end(connection).count(b"hello\n") == 1


def test_a_client_that_sends_a_byte_at_a_time_is_cut_off() -> None:
    with service(limits=QUICK) as running, connected(running, b"GET / HTTP/1.1\r\nX-Slow: ") as connection:
        end = time.monotonic() + DEADLINE_S
        connection.settimeout(0.2)
        while time.monotonic() < end:
            try:
                connection.sendall(b"x")
                if connection.recv(1) == b"":
                    return
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                return
        pytest.fail("the connection is still open")


def test_a_long_answer_is_not_cut_off() -> None:
    with service(limits=QUICK) as running:
        assert get(running, "/slow").text.split() == [str(number) for number in range(8)]


def test_a_newcomer_gets_the_place_of_who_has_been_silent_longest() -> None:
    with service(limits=Limits(connections=2)) as running, connected(running) as first, connected(running) as second:
        assert get(running).status_code == 200
        assert read_to_end(first) == b""
        second.sendall(GET)
        assert second.recv(4096).startswith(b"HTTP/1.1 200")


def ask(connection: socket.socket) -> None:
    """A request and its whole answer."""
    connection.sendall(GET)
    received = b""
    while not received.endswith(b"hello\n"):
        part = connection.recv(4096)
        assert part
        received += part


def test_an_answer_is_worth_a_new_place_at_the_end_of_the_line() -> None:
    with service(limits=Limits(connections=2)) as running, connected(running) as first, connected(running) as second:
        for connection in (first, second, first):
            ask(connection)
        assert get(running).status_code == 200
        assert read_to_end(second) == b""


def test_those_who_are_served_keep_their_places_and_the_newcomer_must_go() -> None:
    with service(limits=Limits(connections=1)) as running, connected(running, GET.replace(b"/ ", b"/slow ")) as stream:
        received = stream.recv(4096)
        assert received.startswith(b"HTTP/1.1 200")
        with connected(running, GET) as other:
            assert read_to_end(other) == b""
        while b"7\n" not in received:
            received += stream.recv(4096)


def test_a_client_that_does_not_read_its_answer_is_cut_off() -> None:
    with service(limits=QUICK) as running, connected(running, GET.replace(b"/ ", b"/large ")) as connection:
        assert connection.recv(8) == b"HTTP/1.1"
        wait_until(lambda: connections(running) == 0)
        assert len(read_to_end(connection)) < LARGE_BYTES


def test_a_client_that_does_not_read_the_end_of_a_closed_answer_is_cut_off() -> None:
    request = b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with service(limits=QUICK) as running, connected(running, request) as connection:
        received = 0
        while received < LARGE_BYTES - 120_000:
            received += len(connection.recv(4096))
        wait_until(lambda: connections(running) == 0)


def test_a_client_that_reads_slowly_but_steadily_gets_everything() -> None:
    with service(limits=QUICK) as running, connected(running, GET.replace(b"/ ", b"/large ")) as connection:
        received = 0
        while received < LARGE_BYTES:
            part = connection.recv(65536)
            assert part
            received += len(part)
            time.sleep(0.02)


def test_half_a_connection_is_enough_for_an_answer() -> None:
    with service() as running, connected(running, GET.replace(b"/ ", b"/slow ")) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert read_to_end(connection).endswith(b"\r\n0\r\n\r\n")


# --- requests that are refused ---


@pytest.mark.parametrize(
    ("send", "status"),
    [
        (b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 20_000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"x" * 20_000, 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 413),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 405),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    ],
)
def test_what_is_refused_is_refused_in_a_line_and_closed(send: bytes, status: int) -> None:
    with service() as running:
        with connected(running, send) as connection:
            received = read_to_end(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        if status:
            assert head.startswith(b"HTTP/1.1 %d " % status)
            assert b"connection: close" in head.lower()
            assert body.startswith(b"%d " % status)
            assert body.count(b"\n") == 1
            assert body.endswith(b"\n")
        assert get(running).status_code == 200


@pytest.mark.parametrize("path", [b"/%00", b"/../../etc/passwd", b"/%2e%2e/x", b"/%ff", b"*", b"http://x/y", b"//"])
def test_strange_paths_are_404(path: bytes) -> None:
    with service() as running, connected(running, b"GET " + path + b" HTTP/1.0\r\n\r\n") as connection:
        assert read_to_end(connection).startswith(b"HTTP/1.1 404 ")


def test_pipelined_requests_are_answered_in_order_but_not_without_end() -> None:
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with service() as running:
        with connected(running, GET * 3 + last) as connection:
            assert read_to_end(connection).count(b"hello\n") == 4
        with connected(running, GET * 4000) as connection:
            assert read_to_end(connection).count(b"hello\n") < 4000
        assert get(running).status_code == 200
