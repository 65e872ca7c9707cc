"""To whom records of runs are shown: whole command lines stand in them, while the pages tell 15 bytes of a name."""

from __future__ import annotations

import ipaddress
import ssl

from aipower.web.access import Access

FIRST_PERSON = 1000
"""Below are root and the users of services (UID_MIN of login.defs)."""
SERVICES = range(61184, 65536)
"""Users that systemd makes up for services (DynamicUser=), `nobody`, and the number that stands for none."""


def is_person(uid: int) -> bool:
    """True where `uid` is likely somebody who measures runs."""
    return uid >= FIRST_PERSON and uid not in SERVICES


def is_loopback(host: str) -> bool:
    """True where only this machine reaches a listener on `host`. No name but localhost is looked up."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def asks_who(access: Access) -> bool:
    """True where nobody is let in without a password or a certificate that was checked."""
    certificates = access.context is not None and access.context.verify_mode is ssl.CERT_REQUIRED
    return bool(access.users) or certificates


def why_hidden(uid: int, host: str, *, asks: bool) -> str:
    """Why `auto` shows no records, in a line for the log; empty where it shows those of the agent's own user.

    Args:
        uid: The effective user id of the agent.
        host: Where the agent listens.
        asks: Whether it wants a password or a certificate of everybody, see `asks_who`.
    """
    if not is_person(uid):
        return f"runs: no reports, as user {uid} is that of a service; name a folder with run_records to show some"
    if not (asks or is_loopback(host)):
        return (
            f"runs: no reports, as everybody who reaches {host} could read the command lines in them; ask for "
            "passwords with web_config, or name a folder with run_records"
        )
    return ""


def allowed(uid: int, host: str, *, asks: bool) -> bool:
    """True where `auto` shows the records of the agent's own user; see `why_hidden`."""
    return not why_hidden(uid, host, asks=asks)
