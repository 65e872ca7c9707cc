"""What the agent tells its sites."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict

from msgspec import Struct

from aipower.daemon.health import Health
from aipower.footprint.settings import Footprint, load_footprint
from aipower.history.book import HistoryBook
from aipower.model import Snapshot
from aipower.seams import Clock
from aipower.settings.config import AgentConfig
from aipower.site.sources import Condition, Now, Shelf, Sources
from aipower.web.access import Access


class Views(Struct, frozen=True):
    """The agent as pages see it."""

    snapshot: Callable[[], Snapshot | None]
    health: Callable[[], Health]
    access: Callable[[], Access]
    """The rules of access in force."""


def footprint_of(environ: Mapping[str, str]) -> Footprint:
    """What the electricity costs and emits, as the file of the agent's user or that of the machine says.

    Raises:
        UsageError: The file is wrong.
    """
    return load_footprint(environ, os.path.expanduser("~"))  # noqa: PTH111 - Path raises where there is no home


def make_sources(
    views: Views, history: HistoryBook, shelf: Shelf, footprint: Footprint, config: AgentConfig, clock: Clock
) -> Sources:
    """All that pages may know."""
    settings = asdict(config)
    del settings["sinks"]  # there may be passwords in it
    return Sources(
        snapshot=views.snapshot,
        now=lambda: Now(clock.monotonic_s(), clock.unix_s()),
        condition=lambda: condition(views.health()),
        history=history,
        scales=history,
        shelf=shelf,
        footprint=footprint,
        settings=settings,
        host=os.environ.get("AIPOWER_NODE") or os.uname().nodename,
    )


def condition(health: Health) -> Condition:
    """The agent's health in the words of its pages."""
    return Condition(health.status, health.reason, health.sample_age_s)
