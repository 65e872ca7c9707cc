"""Where a service listens: `HOST:PORT`, read and written."""

from __future__ import annotations

import ipaddress
import re

from msgspec import Struct

from aipower.errors import UsageError

MAX_PORT = 65535
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?", re.ASCII)


class Address(Struct, frozen=True):
    """A host and a TCP port; port 0 asks the kernel for a free one."""

    host: str
    """A name or a bare IP address, without brackets."""
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address that `text` names, such as `127.0.0.1:9877`, `localhost:9877` or `[::1]:9877`.

    Raises:
        UsageError: It is no such address.
    """
    host, colon, port = text.rpartition(":")
    if not colon:
        raise _malformed(text, "the port is missing")
    if not host:
        raise _malformed(text, f"the host is missing; all addresses of this machine are 0.0.0.0:{port}")
    return Address(_host(text, host), _port(text, port))


def _host(text: str, host: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        return _ipv6(text, host[1:-1])
    if ":" in host:
        raise _malformed(text, "an IPv6 address needs brackets, as in [::1]:9877")
    if not HOST_NAME.fullmatch(host):
        raise _malformed(text, f'"{host}" is no host')
    return host


def _ipv6(text: str, host: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise _malformed(text, f'"{host}" is no IPv6 address') from None


def _port(text: str, port: str) -> int:
    if not (port.isascii() and port.isdigit() and len(port) <= len(str(MAX_PORT)) and int(port) <= MAX_PORT):
        raise _malformed(text, f'"{port}" is no port from 0 to {MAX_PORT}')
    return int(port)


def _malformed(text: str, why: str) -> UsageError:
    return UsageError(f'"{text}" is no address to listen on: {why}; expected HOST:PORT, as in 127.0.0.1:9877')
