"""Opens a listening socket, or says in one line why not and what to do."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator

from aipower.errors import AipowerError
from aipower.settings.address import MAX_PORT, Address

BACKLOG = 1024
"""Clients that come at once wait here; beyond it the kernel drops them, and they try again after a second."""
SEND_BUFFER_BYTES, RECEIVE_BUFFER_BYTES = 64 * 1024, 16 * 1024
"""Of each connection, in the kernel, which doubles them; left alone it grows them to megabytes for those who do not
read."""


def open_listener(address: Address) -> socket.socket:
    """A listening TCP socket.

    Raises:
        AipowerError: It cannot be had.
    """
    with _explained(address):
        if not 0 <= address.port <= MAX_PORT:  # getaddrinfo would take 70000 for 4464
            raise ValueError(f"{address.port} is no port from 0 to {MAX_PORT}")
        # For a text Python would load its codec for names in all alphabets, with 0.7 MB of tables.
        host = address.host.encode() if address.host.isascii() else address.host
        family, kind, protocol, _, target = socket.getaddrinfo(
            host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            listener.bind(target)
            listener.listen(BACKLOG)
        except BaseException:
            listener.close()
            raise
        return listener


@contextlib.contextmanager
def _explained(address: Address) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise AipowerError(f"cannot listen on {address}: {reason(error, address)}") from error


def reason(error: Exception, address: Address) -> str:
    """Why `address` cannot be listened on, and what to do about it, for people."""
    if isinstance(error, socket.gaierror):
        return f'there is no host "{address.host}"; name an address of this machine'
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return "the address is in use, perhaps by another agent; choose another with --listen HOST:PORT"
        case errno.EACCES | errno.EPERM:
            return "not permitted; choose a port above 1023 with --listen HOST:PORT"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address; see ip address, or use 127.0.0.1"
        case _:
            return f"{error}; expected HOST:PORT, as in 127.0.0.1:9877"
