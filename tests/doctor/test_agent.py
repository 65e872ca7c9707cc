"""The running agent: table answers, and real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aipower.daemon.health import Health
from aipower.daemon.serving.http import HttpService, make_app
from aipower.doctor import agent
from aipower.doctor.world import Answer, connects, http_get
from aipower.settings.address import Address
from daemon.sites import CLIENTS, PAIR, USERS, site
from doctor.children import closed_port
from doctor.worlds import make_world, raises


@contextmanager
def served(health: Health) -> Iterator[Address]:
    with HttpService(make_app(lambda: None, [], lambda: health), "127.0.0.1", 0) as running:
        yield running.address


@contextmanager
def talks(answer: bytes) -> Iterator[Address]:
    """A listener that answers one caller with `answer`."""

    def talk() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield Address(*listener.getsockname())
        thread.join(60)


def test_running_agent(tmp_path: Path) -> None:
    with served(Health(ok=True, sample_age_s=0.5)) as address:
        result = agent.reachable(make_world(tmp_path, listen=address, get=http_get))
    assert (result.verdict, result.remedy) == ("ok", "")
    assert result.found == f"answers on {address}, newest sample 0.5 s old"


def test_agent_that_is_starting(tmp_path: Path) -> None:
    with served(Health(ok=False, starting=True)) as address:
        result = agent.reachable(make_world(tmp_path, listen=address, get=http_get))
    assert result.verdict == "ok"
    assert "is starting" in result.found


def test_agent_that_does_not_measure(tmp_path: Path) -> None:
    with served(Health(ok=False, reason="no sample for 12 s")) as address:
        result = agent.reachable(make_world(tmp_path, listen=address, get=http_get))
    assert result.verdict == "fail"
    assert "no sample for 12 s" in result.found
    assert result.remedy


def test_nobody_listens(tmp_path: Path) -> None:
    with closed_port() as port:
        result = agent.reachable(make_world(tmp_path, listen=Address("127.0.0.1", port), get=http_get))
    assert (result.verdict, result.remedy) == ("skip", "start it with `aipower agent`")


@pytest.mark.parametrize("answer", [
    b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\n\r\nhello", b"HTTP/1.1 404 Not Found\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n[]", b'HTTP/1.1 500 No\r\n\r\n{"status":"ok"}',
])  # fmt: skip
def test_another_program_has_the_port(tmp_path: Path, answer: bytes) -> None:
    with talks(answer) as address:
        result = agent.reachable(make_world(tmp_path, listen=address, get=http_get))
    assert result.verdict == "fail"
    assert "another program" in result.found or "cannot be reached" in result.found
    assert result.remedy


def test_listener_that_stays_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address(*listener.getsockname())
        result = agent.reachable(make_world(tmp_path, listen=address, get=http_get))
    assert result.verdict == "fail"
    assert result.found == f"{address} does not answer"
    assert f"sport = :{address.port}" in result.remedy


def test_unreachable_host(tmp_path: Path) -> None:
    result = agent.reachable(make_world(tmp_path, get=raises(OSError(113, "No route to host"))))
    assert result.verdict == "fail"
    assert "No route to host" in result.found


@pytest.mark.parametrize(("host", "asked"), [
    ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.1.2.3", "10.1.2.3"),  # noqa: S104 - nothing is bound
])  # fmt: skip
def test_agent_on_all_addresses_is_asked_on_loopback(tmp_path: Path, host: str, asked: str) -> None:
    seen: list[tuple[Address, str]] = []

    def get(address: Address, path: str) -> Answer:
        seen.append((address, path))
        return Answer(200, '{"status":"ok","sample_age_s":null}')

    result = agent.reachable(make_world(tmp_path, listen=Address(host, 9877), get=get))
    assert (result.verdict, seen) == ("ok", [(Address(asked, 9877), "/healthz")])


def test_agent_on_any_port_cannot_be_found(tmp_path: Path) -> None:
    world = make_world(tmp_path, listen=Address("127.0.0.1", 0), get=raises(AssertionError("asked")))
    result = agent.reachable(world)
    assert result.verdict == "skip"
    assert "--listen" in result.remedy


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 999), st.one_of(st.text(), st.just("[" * 100_000), st.just('{"status":"ok","sample_age_s":"x"}'))
)
def test_no_answer_breaks_the_check(tmp_path: Path, status: int, body: str) -> None:
    world = make_world(tmp_path, get=lambda _address, _path: Answer(status, body))
    result = agent.reachable(world)
    assert result.verdict in {"ok", "fail"}
    assert bool(result.remedy) is (result.verdict == "fail")


def test_an_agent_behind_tls_and_a_password(tmp_path: Path) -> None:
    with site(tmp_path) as made:
        address = made.serve(PAIR).address
        assert http_get(address, "/") == Answer(200, "hello\n", tls=True)
        closed = make_world(tmp_path / "world", listen=made.serve(CLIENTS).address, get=http_get)
        assert "demands TLS and a certificate" in agent.reachable(closed).found
        locked = make_world(tmp_path / "world", listen=made.serve(PAIR + USERS).address, get=http_get)
        assert agent.reachable(locked).verdict == "ok"
        assert "asks for a password" in agent.reachable(locked).found


def test_which_agent_measures_runs(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    world = make_world(tmp_path, environ={"AIPOWER_SOCKET": str(path)}, connects=connects)
    assert agent.runs(world).found == f"aipower-run measures by itself: no agent listens on {path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        assert agent.runs(world).found == f"aipower-run lets the agent at {path} measure"
