"""What has been shown has been written: a scrape waits a moment for the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aipower.model import Snapshot

PATIENCE_S = 0.25
"""A slower disk must not keep a scraper waiting; what it is shown may then fall after a power cut."""


class Settling:
    """Waits until `flushed`, which blocks, has a snapshot on the disk; scrapers of the same one wait together."""

    def __init__(self, flushed: Callable[[Snapshot, float], bool]) -> None:
        self._flushed = flushed
        self._number = -1
        self._task: asyncio.Task[bool] | None = None

    async def __call__(self, snapshot: Snapshot) -> None:
        """Return once `snapshot` is on the disk, or when that takes too long. Only the loop's thread may call it."""
        if self._flushed(snapshot, 0.0):
            return
        if self._task is None or self._number != snapshot.number:
            self._number = snapshot.number
            self._task = asyncio.create_task(asyncio.to_thread(self._flushed, snapshot, PATIENCE_S))
        await asyncio.shield(self._task)
