"""What asyncio complains about, without the flood."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What accept() answers while the system has no room for one more connection."""
QUIET_S = 60.0
"""Asyncio tries each second, up to once per place in the backlog, and complains each time with a traceback."""


class Complaints:
    """The exception handler of an event loop; `now_s` is the loop's clock."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._quiet_until_s = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Tell of connections that cannot be taken once a minute, and of all else as asyncio does."""
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in EXHAUSTED):
            loop.default_exception_handler(context)
            return
        now_s = self._now_s()
        if now_s >= self._quiet_until_s:
            self._quiet_until_s = now_s + QUIET_S
            log.warning("cannot take more connections: %s; see LimitNOFILE= in systemd.exec(5)", error.strerror)
