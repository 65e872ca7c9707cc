"""Which shelf the setting `run_records` means."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from aipower.errors import AipowerError, UsageError
from aipower.runrecord import RunRecord
from aipower.shelf.files import Folder
from aipower.shelf.runshelf import RunShelf
from aipower.site.sources import KeptRun, Shelf
from aipower.store import writing

AUTO, NONE = "auto", "none"


class NoShelf:
    """Shows no run."""

    def runs(self) -> Sequence[KeptRun]:
        """None."""
        return ()

    def record(self, run_id: str) -> RunRecord | None:
        """None."""
        del run_id
        return None

    def hidden(self) -> str:
        """It was asked for."""
        return "run_records is none in the agent's settings"


class GatedShelf:
    """A shelf that is shown only while `why_not` has no reason: whom the agent lets in may change while it runs."""

    def __init__(self, shelf: Shelf, why_not: Callable[[], str]) -> None:
        self._shelf = shelf
        self._why_not = why_not

    def runs(self) -> Sequence[KeptRun]:
        """Those of the shelf, or none."""
        return () if self._why_not() else self._shelf.runs()

    def record(self, run_id: str) -> RunRecord | None:
        """That of the shelf, or none."""
        return None if self._why_not() else self._shelf.record(run_id)

    def hidden(self) -> str:
        """The reason, or that of the shelf."""
        return self._why_not() or self._shelf.hidden()


def open_shelf(word: str, environ: Mapping[str, str]) -> Shelf:
    """The shelf of a setting: `none`, `auto` (our own records in our own store), or a folder (all records in it).

    Raises:
        UsageError: `word` is a relative path.
    """
    if word == NONE:
        return NoShelf()
    if word == AUTO:
        return _own(environ)
    if not word.startswith("/"):
        raise UsageError(f'run_records: "{word[:60]}" is no absolute path; name one, or auto or none')
    return RunShelf(Folder(word))


def _own(environ: Mapping[str, str]) -> Shelf:
    try:
        folder = writing.runs_folder(environ, writing.home_of(environ))
    except AipowerError:  # a service without a home has no store of its own
        return NoShelf()
    return RunShelf(Folder(folder, os.geteuid()))
