"""Who may come in, and how: what the web configuration says, ready for use."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct, field

from aipower.web.config import read_web_config
from aipower.web.tls import make_context

Mark = tuple[tuple[int, int, int] | None, ...]
"""Which versions of some files there are: time of change, inode and size of each, None for one that is missing."""


class Access(Struct, frozen=True):
    """The rules for new connections and requests. Without a file: everybody, over plain HTTP."""

    context: ssl.SSLContext | None = None
    allowed_sans: frozenset[str] = frozenset()
    """A client's certificate must have one of these names; empty where any will do."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    users: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    files: tuple[Path, ...] = ()
    """All that it was made of."""
    seen: Mark = ()
    """The versions of the files, looked at before they were read: a change meanwhile shows later."""


def load_access(path: Path | None) -> Access:
    """The rules of the file at `path`; None for none.

    Raises:
        UsageError: The file, or one that it names, is wrong; in one line with the remedy.
    """
    if path is None:
        return Access()
    seen = mark((path,))
    config = read_web_config(path)
    tls = config.tls
    if tls is None:
        return Access(headers=config.headers, users=config.users, files=(path,), seen=seen)
    others = (tls.cert_file, tls.key_file, *([tls.client_ca_file] if tls.client_ca_file else []))
    seen += mark(others)
    context = make_context(path, tls)
    return Access(context, tls.client_allowed_sans, config.headers, config.users, (path, *others), seen)


def mark(files: tuple[Path, ...]) -> Mark:
    """The versions of `files` now."""
    return tuple(_version(path) for path in files)


def _version(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
