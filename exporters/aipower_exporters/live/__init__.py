"""The live page: what the node draws now, who causes it and what it has used. Files only; the API has the figures."""

from __future__ import annotations

from collections.abc import Sequence

from aipower.site.resource import Resource
from aipower.site.sources import Sources
from aipower_exporters.live.files import load
from aipower_exporters.live.page import site
from aipower_exporters.live.serving import resource


def live(sources: Sources) -> Sequence[Resource]:
    """The page at `/` and its files below `/static/live/`. They are read here, once; all agents have the same."""
    del sources
    return tuple(resource(file) for file in site(load()))
