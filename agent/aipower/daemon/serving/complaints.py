"""What asyncio complains about, without the flood."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aipower.web.acceptor import EXHAUSTED

log = logging.getLogger(__name__)

QUIET_S = 60.0
"""Connections are tried again many times a second while there is no descriptor for them."""


class Complaints:
    """The exception handler of an event loop; `now_s` is the loop's clock."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._quiet_until_s = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Tell of connections that cannot be taken once a minute, and of all else as asyncio does."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in EXHAUSTED:
            self.exhausted(error)
        else:
            loop.default_exception_handler(context)

    def exhausted(self, error: OSError) -> None:
        """Tell that there is no descriptor for one more connection, once a minute."""
        now_s = self._now_s()
        if now_s >= self._quiet_until_s:
            self._quiet_until_s = now_s + QUIET_S
            log.warning("cannot take more connections: %s; see LimitNOFILE= in systemd.exec(5)", error.strerror)
