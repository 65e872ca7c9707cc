"""Finds who renders a record as a file: exporters are plugins, found by the entry point group `aipower.reports`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from aipower.errors import AipowerError
from aipower.runrecord import RunRecord

GROUP = "aipower.reports"

Renderer = Callable[[RunRecord], bytes]


def renderer(name: str) -> Renderer:
    """The renderer of the format `name`.

    Raises:
        AipowerError: None is installed, or it cannot be loaded.
    """
    for entry in entry_points(group=GROUP, name=name):
        try:
            loaded: Renderer = entry.load()
        except (ImportError, AttributeError) as error:
            raise AipowerError(f"the report as {name} cannot be made: {error}; reinstall aipower") from error
        return loaded
    raise AipowerError(f"nothing that is installed makes a report as {name}; reinstall aipower")
