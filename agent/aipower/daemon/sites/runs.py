"""Which records of runs the agent shows, and for how long: docs/decisions/026."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping

from aipower.settings.address import parse_address
from aipower.settings.config import AgentConfig
from aipower.shelf.audience import asks_who, why_hidden
from aipower.shelf.opening import AUTO, GatedShelf, open_shelf
from aipower.site.sources import Shelf
from aipower.web.access import Access

log = logging.getLogger(__name__)

ShelfMaker = Callable[[Callable[[], Access]], Shelf]
"""Makes the shelf, once it can be told which rules of access are in force."""


def shelf_maker(config: AgentConfig, environ: Mapping[str, str]) -> ShelfMaker:
    """What makes the shelf that the settings ask for.

    Raises:
        UsageError: They name no folder.
    """
    shelf = open_shelf(config.run_records, environ)
    if config.run_records != AUTO:
        return lambda _access: shelf
    host = parse_address(config.listen).host
    return lambda access: GatedShelf(shelf, Gate(host, access))


class Gate:
    """Says why `auto` shows no records now, if it does not: a reload may have let in everybody."""

    def __init__(self, host: str, access: Callable[[], Access]) -> None:
        self._host = host
        self._access = access
        self._told = ""

    def __call__(self) -> str:
        """The reason, empty for none; the log has it once."""
        why = why_hidden(os.geteuid(), self._host, asks=asks_who(self._access()))
        if why and why != self._told:
            log.info("%s", why)
        self._told = why
        return why
