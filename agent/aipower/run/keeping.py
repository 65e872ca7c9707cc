"""Where a run's record goes: the store, and the files that `--json` and `--html` name."""

from __future__ import annotations

import os

from aipower.errors import AipowerError
from aipower.run.console import complain, in_one_line
from aipower.run.output import Output
from aipower.run.wire import encode

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from aipower.run.options import RunOptions

BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Keeping:
    """The places, opened before the command starts: a mistyped path costs nothing."""

    def __init__(self, options: RunOptions, environ: Mapping[str, str]) -> None:
        """Open the files.

        Raises:
            UsageError: One cannot be written.
        """
        self._options = options
        self._json = Output(options.json)
        try:
            self._html = Output(options.html, "--html")
        except AipowerError:
            self._json.__exit__(None, None, None)
            raise
        self._folder = _folder(environ) if options.save else ""
        self._run_id = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._json.__exit__(None, None, None)
        self._html.__exit__(None, None, None)
        if self._run_id:
            from aipower.store.writing import finished  # noqa: PLC0415 - it was needed before

            finished(self._folder, self._run_id)

    @property
    def wanted(self) -> bool:
        """True where somebody wants the record."""
        return bool(self._folder) or self._options.json is not None or self._options.html is not None

    def begin(self, run_id: str, started_unix_s: float) -> None:
        """The command runs: what is there stays, and the store tells that the run goes; not without a `run_id`."""
        self._json.keep()
        self._html.keep()
        if not self._folder or not run_id:
            return
        from aipower.store.writing import begin  # noqa: PLC0415 - only a run that is kept needs it

        try:
            begin(self._folder, run_id, _marker(self._options, run_id, started_unix_s))
            self._run_id = run_id
        except AipowerError as error:
            complain(f"aipower-run: {error}")
            self._folder = ""

    def put(self, run_id: str, record: bytes) -> None:
        """Keep the record; what goes wrong is one line."""
        if self._options.json is not None:
            self._json.write(record)
        if self._folder:
            from aipower.store.writing import put_bytes  # noqa: PLC0415 - as above

            try:
                put_bytes(self._folder, run_id, record)
            except AipowerError as error:
                complain(f"aipower-run: {error}")
        if self._options.html is not None:
            self._html.write(_page(record))


def _page(record: bytes) -> bytes:
    """The report as a web page, by the exporter that is installed for it.

    Raises:
        AipowerError: There is none.
    """
    from aipower.record.renderers import renderer  # noqa: PLC0415 - only a run with --html needs it
    from aipower.runrecord import from_json  # noqa: PLC0415 - as above

    return renderer("html")(from_json(record))


def _folder(environ: Mapping[str, str]) -> str:
    """The store's folder; empty, and one line, where there can be none: the command runs all the same."""
    from aipower.store.writing import home_of, runs_folder  # noqa: PLC0415 - only a run that is kept needs it

    try:
        return runs_folder(environ, home_of(environ))
    except AipowerError as error:
        complain(f"aipower-run: the run is not kept: {in_one_line(error)}")
        return ""


def _marker(options: RunOptions, run_id: str, started_unix_s: float) -> bytes:
    return encode(
        {
            "run_id": run_id,
            "pid": os.getpid(),
            "started_unix_s": started_unix_s,
            "name": options.name,
            "command": options.command,
            "host": os.uname().nodename,
            "boot": _boot(),
        }
    )


def _boot() -> str:
    try:
        with open(BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
