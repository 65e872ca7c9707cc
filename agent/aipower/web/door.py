"""The rules of access in force: changed on demand, and when the files they come from change."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from aipower.errors import UsageError
from aipower.web.access import Access, Mark, load_access, mark

log = logging.getLogger(__name__)

LOOK_EACH_S = 3.0
"""How often the files are looked at, at most: certificates are renewed every few weeks."""


def on_thread(look: Callable[[], None]) -> None:
    """Call `look` without waiting for it.

    Raises:
        RuntimeError: The system has no thread to spare.
    """
    threading.Thread(target=look, name="aipower-web-files", daemon=True).start()


class Door:
    """Keeps the rules of the file at `path`; any thread may call it. `now_s` is a monotonic clock.

    The files may lie on a disk that hangs: `load` reads them, and `aside` has them looked at, while others go on.

    Raises:
        UsageError: The file is wrong.
    """

    def __init__(
        self,
        path: Path | None,
        now_s: Callable[[], float],
        load: Callable[[Path | None], Access] = load_access,
        aside: Callable[[Callable[[], None]], None] = on_thread,
    ) -> None:
        self._now_s = now_s
        self._load = load
        self._aside = aside
        # Never held while a file is looked at or read.
        self._lock = threading.Lock()
        self._looked_at: Access | None = None
        self.put(load(path))

    @property
    def access(self) -> Access:
        """The rules in force."""
        return self._access

    def check(self, path: Path | None) -> Access:
        """The rules of the file at `path`, for `put`; nothing is in force yet.

        Raises:
            UsageError: It is wrong.
        """
        return self._load(path)

    def put(self, access: Access) -> None:
        """Put `access` in force, for new connections and new requests."""
        with self._lock:
            self._swap(access)

    def renew(self) -> Access:
        """The rules in force, at once; now and then this begins a look at whether their files have changed.

        A change for the worse is logged once, and what was in force still is.
        """
        if before := self._due():
            try:
                self._aside(lambda: self._look(before))
            except RuntimeError as error:
                self._end_look(before)
                log.warning("cannot look whether the web configuration has changed: %s", error)
        return self._access

    def _swap(self, access: Access) -> None:
        self._access = access
        self._seen = access.seen
        self._look_at_s = self._now_s() + LOOK_EACH_S

    def _due(self) -> Access | None:
        """The rules whose files are to be looked at now, by the caller; None while that is under way or too early."""
        with self._lock:
            access = self._access
            if not access.files or self._looked_at is access or self._now_s() < self._look_at_s:
                return None
            self._look_at_s = self._now_s() + LOOK_EACH_S
            self._looked_at = access
            return access

    def _look(self, before: Access) -> None:
        try:
            found = mark(before.files)
            if found != self._seen:
                self._take(before, found)
        finally:
            self._end_look(before)

    def _take(self, before: Access, found: Mark) -> None:
        path = before.files[0]
        try:
            after = self._load(path)
        except UsageError as error:
            if self._replace(before, before, found):
                log.error("%s; the old web configuration and certificates stay in force", error)  # noqa: TRY400 - one line
        else:
            if opened := opens(before, after):
                # An editor, a copy or a full disk may have emptied the file; only a reload says that it is meant.
                if self._replace(before, before, found):
                    log.error("%s: would serve without %s; the old one stays in force until a reload", path, opened)
            elif self._replace(before, after, after.seen):
                log.info("%s: changes of it or its certificates are in force", path)

    def _replace(self, before: Access, after: Access, seen: Mark) -> bool:
        """Have `after` in the place of `before`, unless that has left in the meantime."""
        with self._lock:
            if self._access is not before:
                return False
            self._swap(after)
            self._seen = seen
            return True

    def _end_look(self, before: Access) -> None:
        with self._lock:
            if self._looked_at is before:
                self._looked_at = None


def opens(before: Access, after: Access) -> str:
    """What `before` has demanded of clients and `after` does not, for people; empty for nothing."""
    clients = before.context is not None and before.context.verify_mode is not ssl.CERT_NONE
    keeps = after.context is not None and after.context.verify_mode is not ssl.CERT_NONE
    lost = {
        "TLS": before.context is not None and after.context is None,
        "client certificates": clients and not keeps,
        "passwords": bool(before.users) and not after.users,
    }
    return " and ".join(what for what, is_lost in lost.items() if is_lost)
