"""What clients may and may not do to the service."""

from __future__ import annotations

import logging
import time

import pytest

from aipower.daemon.server import Limits
from daemon.services import DEADLINE_S, connected, get, read_to_end, service

QUICK = Limits(keep_alive_s=1)


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


def test_too_many_connections_are_answered_503_and_the_place_is_free_again_later() -> None:
    with service(limits=Limits(connections=3, keep_alive_s=1)) as running:
        with connected(running), connected(running):
            answers = {get(running).status_code for _ in range(3)}
        assert answers == {503}
        end = time.monotonic() + DEADLINE_S
        while get(running).status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_silent_clients_cannot_hold_all_places_for_ever() -> None:
    with service(limits=Limits(connections=2, keep_alive_s=1)) as running, connected(running) as silent:
        assert get(running).status_code == 503
        assert read_to_end(silent) == b""
        assert get(running).status_code == 200


def test_a_header_that_is_too_long_is_refused() -> None:
    with service() as running:
        with connected(running, b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 20_000) as connection:
            assert read_to_end(connection).startswith(b"HTTP/1.1 400")
        assert get(running).status_code == 200
