"""Whose process is at the other end of a connection within this machine, as the kernel's table of sockets tells."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
TABLES = ("net/tcp", "net/tcp6")
LOCAL, REMOTE, UID = 1, 2, 7
"""Columns of a table, proc_net_tcp in the kernel's documentation."""
MAX_BYTES = 16 * 2**20
"""Some hundred thousand sockets; a machine with more tells us nobody."""

End = tuple[str, int]
"""An IP address and a port."""


def uid_of_caller(caller: End, here: End, proc: Path = PROC) -> int | None:
    """The user who opened the socket at `caller` that is connected to us at `here`; None where nobody can tell.

    It reads all sockets of the machine: call it for what few people ask for.
    """
    try:
        wanted = {f"{_written(*caller, wide)} {_written(*here, wide)}" for wide in (False, True)} - {" "}
    except ValueError:
        return None
    found = {uid for table in TABLES for ends, uid in _rows(proc / table) if ends in wanted}
    return found.pop() if len(found) == 1 else None


def _rows(table: Path) -> Iterator[tuple[str, int]]:
    """Both ends of each socket, as `_written` has them, and its user."""
    try:
        with table.open("rb") as file:
            content = file.read(MAX_BYTES)
    except OSError:
        return
    for line in content.decode(errors="replace").splitlines()[1:]:
        words = line.split()
        if len(words) > UID and words[UID].isdecimal():
            yield f"{words[LOCAL]} {words[REMOTE]}", int(words[UID])


def _written(host: str, port: int, wide: bool) -> str:  # noqa: FBT001 - which of two tables
    """As the kernel writes an address: words of 32 bits in the machine's own order, and the port.

    An IPv4 address stands in the wide table where the caller's socket is one for IPv6. Empty for what the narrow one
    never has.
    """
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv4Address) and wide:
        address = ipaddress.IPv6Address(f"::ffff:{address}")
    if isinstance(address, ipaddress.IPv6Address) and not wide:
        mapped = address.ipv4_mapped
        if mapped is None:
            return ""
        address = mapped
    packed = address.packed
    words = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
    return f"{''.join(f'{word:08X}' for word in words)}:{port:04X}"
