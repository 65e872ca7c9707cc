"""Who may see what: sites tell more than /metrics, and a browser asks for whoever has written the page it shows."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable

from aipower.shelf.audience import asks_who, is_loopback
from aipower.shelf.callers import End, uid_of_caller
from aipower.web.access import Access

USUAL = ("127.0.0.1", "::1")
"""Named before they are parsed: a page asks each second."""


class Guests:
    """The rules for sites of an agent that listens on `host`; with `own_records` private pages are its own user's."""

    def __init__(self, host: str, access: Callable[[], Access], *, own_records: bool) -> None:
        self._local = is_loopback(host)
        self._access = access
        self._own_records = own_records
        self._names = {"localhost", os.uname().nodename.lower()}

    def misled(self, host_header: str) -> bool:
        """True for a browser that was made to believe that a stranger's name is this machine's (DNS rebinding).

        Where no password is wanted, only loopback keeps strangers out. There people write an address, or localhost.
        """
        if not self._local or asks_who(self._access()):
            return False
        name = _name(host_header)
        return not (name in USUAL or name in self._names or name.endswith(".localhost") or _is_address(name))

    def may_see_private(self, caller: End, here: End) -> bool:
        """True where `caller`, connected to us at `here`, may see what is the agent's own user's. It reads files."""
        if not self._own_records or asks_who(self._access()):
            return True
        return uid_of_caller(caller, here) == os.geteuid()


def _name(host_header: str) -> str:
    """The name in a Host header, without the port (RFC 9110, section 7.2)."""
    if host_header.startswith("["):
        return host_header[1:].partition("]")[0]
    return host_header.partition(":")[0].rstrip(".").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
