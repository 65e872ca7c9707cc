"""Requests of sinks end in time, whatever the other side does, and say what was wrong."""

from __future__ import annotations

import contextlib
import re
import shlex
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aipower.errors import UsageError
from aipower.sinks import SinkError
from aipower_exporters.sinks.http import Endpoint, endpoint
from aipower_exporters.sinks.options import Options
from sinks.machines import DEADLINE_S, Listener, listening, tool

PATIENCE_S = 0.3
"""The limit of the requests that wait in vain."""


def send(url: str, **options: object) -> None:
    endpoint(Options(options), url).send("POST", b"body", {"Content-Type": "text/plain"})


def failure(url: str, **options: object) -> SinkError:
    with pytest.raises(SinkError) as caught:
        send(url, **options)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "rejected"),
        (401, "denied"),
        (403, "denied"),
        (404, "rejected"),
        (408, "timeout"),
        (429, "rejected"),
        (500, "failed"),
        (503, "failed"),
        (507, "full"),
    ],
)
def test_a_status_that_is_no_success_is_a_reason(status: int, reason: str) -> None:
    with listening(Listener(status, "bad\x1b[31m thing\nand more")) as listener:
        error = failure(listener.url)
    assert error.reason == reason
    assert str(error) == f"{listener.url} answers {status}: bad?[31m thing"


def test_a_redirect_is_not_followed() -> None:
    with listening(Listener(307)) as listener:
        error = failure(listener.url)
    assert error.reason == "rejected"
    assert len(listener.requests) == 1


def test_a_proxy_of_the_environment_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(Listener()) as listener, listening(Listener()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        send(f"{listener.url}/path?a=b")
    assert [request.path for request in listener.requests] == ["/path?a=b"]
    assert proxy.requests == []


Behaviour = Callable[[socket.socket], None]


@contextlib.contextmanager
def behaving(behaviour: Behaviour) -> Iterator[str]:
    """The address of a server that does `behaviour` with each connection until it is shut."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        behaviour(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(DEADLINE_S)


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def dribbling(connection: socket.socket) -> None:
    """A byte now and then, well within any limit between two bytes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        connection.sendall(b"x")
        time.sleep(PATIENCE_S / 20)


def babbling(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    silent(connection)


def curt(connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.parametrize("behaviour", [silent, dribbling])
def test_who_does_not_answer_in_time_is_left(behaviour: Behaviour) -> None:
    with behaving(behaviour) as url:
        error = failure(url, timeout_s=PATIENCE_S)
    assert error.reason == "timeout"
    assert str(error) == f"{url} does not answer within {PATIENCE_S:g} s"


@pytest.mark.parametrize(("behaviour", "reason"), [(babbling, "failed"), (curt, "failed|refused")])
def test_who_speaks_otherwise_is_told(behaviour: Behaviour, reason: str) -> None:
    with behaving(behaviour) as url:
        error = failure(url, timeout_s=DEADLINE_S)
    assert error.reason in reason.split("|")


def test_a_name_that_nobody_has_is_told() -> None:
    error = failure("http://no-such-host.invalid:9091", timeout_s=DEADLINE_S)
    assert error.reason == "failed"


def test_no_thread_stays_behind() -> None:
    with listening(Listener()) as listener:
        for _ in range(5):
            send(listener.url)
    assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())


def test_a_password_is_in_no_words_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("hush")
    options = Options({"token_file": str(path)})
    target = endpoint(options, "http://127.0.0.1:9")
    assert "hush" not in repr(target)
    assert "hush" not in repr(Options({"password": "hush"}).secret("password"))
    path.unlink()
    with pytest.raises(SinkError, match=r"token_file: .*No such file") as caught:
        target.send("PUT", b"", {})
    assert caught.value.reason == "denied"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"timeout_s": 0}, "timeout_s: expected a number from 0.1 to 300"),
        ({"timeout_s": True}, "timeout_s: expected a number from 0.1 to 300"),
        ({"timeout_s": float("nan")}, "timeout_s: expected a number from 0.1 to 300"),
        ({"password": "x"}, "username: missing; a password belongs to one"),
        ({"username": "a:b"}, "username: expected a name without a colon"),
        ({"username": "a", "token": "b"}, "username: expected either username and password, or a token"),
        ({"token": "a", "token_file": "/x"}, "token_file: expected only one of token and token_file"),
        ({"token_file": "/no/such"}, "token_file: /no/such: No such file or directory"),
        ({"token_file": "token"}, "token_file: expected an absolute path"),
        ({"token_file": "/dev/null"}, "token_file: /dev/null: expected one line of at most 65536 bytes"),
        ({"token": "a\r\nb: c"}, "token: expected a string without control characters"),
        ({"ca_file": "/etc/hosts"}, "ca_file: expected an address with https:// for it"),
    ],
)
def test_wrong_options_are_told(options: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        endpoint(Options(options), "http://127.0.0.1:9")
    assert str(caught.value) == text


@dataclass(frozen=True, slots=True)
class Pki:
    """A certificate for localhost that is its own authority, and its key."""

    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    made = Pki(folder / "cert.pem", folder / "key.pem")
    words = shlex.split("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost")
    names = ["-addext", "subjectAltName=DNS:localhost"]
    command = [tool("openssl", "openssl"), *words, *names, "-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return made


@contextlib.contextmanager
def tls_server(pki: Pki, *, clients: bool = False) -> Iterator[str]:
    """The address of a server that has the certificate, and with `clients` wants one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)
    if clients:
        context.load_verify_locations(pki.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that refuse
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"https://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_an_authority_of_ones_own_is_trusted_and_no_other(pki: Pki) -> None:
    with tls_server(pki) as url:
        send(url, ca_file=str(pki.certificate))
        error = failure(url)
        wrong_name = failure(url.replace("localhost", "127.0.0.1"), ca_file=str(pki.certificate))
    assert error.reason == wrong_name.reason == "denied"
    assert re.search("certificate is not trusted", str(error))


def test_a_client_shows_its_certificate(pki: Pki) -> None:
    with tls_server(pki, clients=True) as url:
        send(url, ca_file=str(pki.certificate), cert_file=str(pki.certificate), key_file=str(pki.key))
        failure(url, ca_file=str(pki.certificate))


def test_a_silent_server_of_tls_is_left_in_time(pki: Pki) -> None:
    with behaving(silent) as url:
        error = failure(url.replace("http:", "https:"), timeout_s=PATIENCE_S, ca_file=str(pki.certificate))
    assert error.reason == "timeout"


@pytest.mark.parametrize("key", ["ca_file", "cert_file"])
def test_a_file_that_is_no_certificate_is_told(key: str) -> None:
    with pytest.raises(UsageError, match=rf"^{key}: /etc/hostname: not a"):
        endpoint(Options({key: "/etc/hostname"}), "https://localhost")


def test_an_endpoint_says_what_came_back() -> None:
    with listening(Listener(429, "later")) as listener:
        answer = Endpoint(listener.url, 10.0).exchange("POST", b"", {})
    assert (answer.status, answer.body) == (429, b"later")
