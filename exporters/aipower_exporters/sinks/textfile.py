"""A file for node_exporter's textfile collector."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from aipower.model import Snapshot
from aipower_exporters.prometheus import PrometheusExporter
from aipower_exporters.sinks.files import output_path, told_as_sink_errors, write_whole
from aipower_exporters.sinks.options import Options

MODE = 0o644
"""node_exporter runs as another user."""
SUFFIX = ".prom"
"""The collector reads no other files."""


class TextfileSink:
    """Writes the page that /metrics shows in the text format 0.0.4, without timestamps: the collector refuses them."""

    def __init__(self, path: Path, *, remove: bool = True) -> None:
        """With `remove` the file leaves with the agent: what it says of now is not true any more then."""
        self._path = path
        self._remove = remove
        self._exporter = PrometheusExporter()

    def push(self, snapshot: Snapshot) -> None:
        """Put the page in the place of the one before.

        Raises:
            SinkError: There is no room (`full`), no right (`denied`), or another error (`failed`).
        """
        page, _ = self._exporter.render(snapshot, "")
        with told_as_sink_errors(self._path):
            write_whole(self._path, page, MODE)

    def close(self) -> None:
        """Remove the file, if that is wanted.

        Raises:
            SinkError: It cannot be removed.
        """
        if self._remove:
            with told_as_sink_errors(self._path), contextlib.suppress(FileNotFoundError):
                self._path.unlink()


def textfile(options: Mapping[str, object], _name: str) -> TextfileSink:
    """The sink of the kind `textfile`.

    Raises:
        UsageError: An option is wrong.
    """
    checked = Options.of(options, ("path", "remove"))
    return TextfileSink(output_path(checked, suffix=SUFFIX), remove=checked.flag("remove", default=True))
