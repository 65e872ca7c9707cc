"""The rules of access in force: changed on demand, and when the files they come from change."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from aipower.errors import UsageError
from aipower.web.access import Access, load_access, mark

log = logging.getLogger(__name__)

LOOK_EACH_S = 3.0
"""How often the files are looked at, at most: certificates are renewed every few weeks."""


class Door:
    """Keeps the rules of the file at `path`; any thread may call it. `now_s` is a monotonic clock.

    Raises:
        UsageError: The file is wrong.
    """

    def __init__(self, path: Path | None, now_s: Callable[[], float]) -> None:
        self._path = path
        self._now_s = now_s
        self._lock = threading.Lock()
        self._load(path)

    @property
    def access(self) -> Access:
        """The rules in force."""
        return self._access

    def reload(self, path: Path | None) -> None:
        """Read the file at `path` and put it in force, for new connections and new requests.

        Raises:
            UsageError: It is wrong; what was in force still is.
        """
        with self._lock:
            self._load(path)

    def renew(self) -> Access:
        """The rules in force, after a look at whether their files have changed.

        A change for the worse is logged once, and what was in force still is.
        """
        with self._lock:
            if self._access.files and self._now_s() >= self._look_at_s:
                self._look()
            return self._access

    def _load(self, path: Path | None) -> None:
        self._access = load_access(path)
        self._path = path
        self._seen = self._access.seen
        self._look_at_s = self._now_s() + LOOK_EACH_S

    def _look(self) -> None:
        self._look_at_s = self._now_s() + LOOK_EACH_S
        found = mark(self._access.files)
        if found == self._seen:
            return
        self._seen = found
        try:
            self._load(self._path)
        except UsageError as error:
            log.error("%s; the old web configuration and certificates stay in force", error)  # noqa: TRY400 - one line
        else:
            log.info("%s: changes of it or its certificates are in force", self._path)
