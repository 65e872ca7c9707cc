"""A folder with certificates and services that use them, for the tests of TLS and passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import httpx

from aipower.daemon.serving.server import HttpService, Limits
from daemon.services import DEADLINE_S, application
from web.certificates import Pair, client_context, make_authority, make_pair

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
PAIR = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
CLIENTS = f"{PAIR}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"
USERS = f"basic_auth_users:\n  ada: {HASH}\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(frozen=True)
class Site:
    """A folder with an authority, a server's pair and a client's pair, and services that use them."""

    folder: Path
    authority: Pair
    server: Pair
    client: Pair
    stack: ExitStack

    def write(self, text: str) -> Path:
        path = self.folder / "web.yml"
        path.write_text(text)
        return path

    def serve(self, text: str, limits: Limits | None = None) -> HttpService:
        service = HttpService(application(), "127.0.0.1", 0, limits, self.write(text))
        return self.stack.enter_context(service)

    def get(self, service: HttpService, own: Pair | None = None, **options: object) -> httpx.Response:
        context = client_context(self.authority, own)
        with httpx.Client(verify=context, timeout=DEADLINE_S) as client:
            return client.get(service.url, **options)  # type: ignore[arg-type]  # httpx's many options


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """A site; its services end with it."""
    authority = make_authority(folder)
    server = make_pair(folder, authority, "server", "DNS:localhost,IP:127.0.0.1")
    client = make_pair(folder, authority, "client", "DNS:prometheus.example,IP:2001:db8::1")
    with ExitStack() as stack:
        yield Site(folder, authority, server, client, stack)
