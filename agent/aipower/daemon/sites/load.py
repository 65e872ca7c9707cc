"""The sites of all installed packages."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.metadata import entry_points

from aipower.site.resource import Resource
from aipower.site.sources import GROUP, SiteFactory, Sources

log = logging.getLogger(__name__)


def load_sites(sources: Sources) -> Sequence[Resource]:
    """What they serve; a package that does not load costs only itself."""
    found: list[Resource] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            factory: SiteFactory = point.load()
            found.extend(factory(sources))
        except Exception:  # a foreign package may fail in any way
            log.exception("site %s does not load", point.name)
    return found
