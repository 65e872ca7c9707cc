"""A folder of runs: read, found, kept and removed. Nobody owns it alone: all writers write whole files only."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from aipower.errors import AipowerError
from aipower.runrecord import NoRecordError, RunRecord, from_json, to_json
from aipower.store import writing
from aipower.store.going import Going, read_marker, state_of, this_machine
from aipower.store.summary import NotReadError, Summary, read_summary

_CHUNK = 1 << 16
LEFTOVER_S = 3600.0
"""No writer takes so long: what is unfinished and older was left by one that has died."""


class Skipped(Struct, frozen=True):
    """A file of the folder that was not read, and why."""

    path: Path
    reason: str


class Listing(Struct, frozen=True):
    """What is in the folder, the oldest first."""

    summaries: list[Summary]
    going: list[Going]
    skipped: list[Skipped]


def runs_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Where the runs are kept: `$AIPOWER_RUNS_DIR`, `$XDG_DATA_HOME/aipower/runs` or `~/.local/share/aipower/runs`."""
    return Path(writing.runs_folder(environ, str(home)))


def open_store(environ: Mapping[str, str] | None = None) -> RunStore:
    """The user's own store.

    Raises:
        AipowerError: There is no home folder, and no variable names another.
    """
    variables = os.environ if environ is None else environ
    return RunStore(Path(writing.runs_folder(variables, writing.home_of(variables))))


class RunStore:
    """The runs of one folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, record: RunRecord) -> Path:
        """Keep `record`, in place of one of the same id.

        Raises:
            AipowerError: The disk is full, or the folder is not ours to write to.
        """
        return Path(writing.put_bytes(str(self.folder), record.run_id, to_json(record)))

    def load(self, run_id: str) -> RunRecord:
        """The record of `run_id`.

        Raises:
            AipowerError: There is none, or it cannot be read.
        """
        return load_file(self.path_of(run_id))

    def path_of(self, run_id: str) -> Path:
        """Where the record of `run_id` is, or would be."""
        return self.folder / f"{run_id}{writing.RECORD}"

    def ids(self) -> list[str]:
        """The ids of all records, the oldest first, by the names of the files alone.

        Raises:
            AipowerError: The folder cannot be read.
        """
        return sorted(_ids(self._names(), writing.RECORD))

    def listing(self) -> Listing:
        """Summaries of all runs, what is going, and what was left out because it cannot be read.

        Raises:
            AipowerError: The folder cannot be read.
        """
        names = self._names()
        summaries: list[Summary] = []
        skipped: list[Skipped] = []
        for run_id in sorted(_ids(names, writing.RECORD)):
            one = self.summary(run_id)
            if isinstance(one, Summary):
                summaries.append(one)
            elif one is not None:
                skipped.append(one)
        return Listing(summaries, self._going(names), skipped)

    def summaries(self) -> list[Summary]:
        """Summaries of all runs that can be read, the oldest first.

        Raises:
            AipowerError: The folder cannot be read.
        """
        return self.listing().summaries

    def find(self, word: str) -> RunRecord:
        """The run that `word` means: `last`, `last~N`, an id, the beginning of one, a name, or a record's file.

        Raises:
            UsageError: There is none, or several that it might be.
            AipowerError: It cannot be read.
        """
        from aipower.store.finding import find_path  # noqa: PLC0415 - it is about stores, and knows this module

        return load_file(find_path(self, word))

    def find_all(self, word: str) -> list[RunRecord]:
        """All runs that `word` means, the oldest first: those of a name or of a series, warm-ups included, or one run.

        Raises:
            UsageError: As by `find`.
            AipowerError: As by `find`.
        """
        from aipower.store.finding import find_paths  # noqa: PLC0415 - as above

        return [load_file(path) for path in find_paths(self, word)]

    def remove(self, run_id: str) -> None:
        """Remove the record of `run_id` and its marker; nothing happens where there are none.

        Raises:
            AipowerError: It cannot be removed.
        """
        if not writing.is_id(run_id):
            raise AipowerError(f"{run_id!r} is not the id of a run")
        try:
            for ending in (writing.RECORD, writing.GOING):
                (self.folder / f"{run_id}{ending}").unlink(missing_ok=True)
        except OSError as error:
            raise AipowerError(f"{self.path_of(run_id)}: {_words(error)}") from error

    def clean(self, now_unix_s: float | None = None) -> None:
        """Remove what writers that have died left half written, and markers of runs whose record is there."""
        now_s = time.time() if now_unix_s is None else now_unix_s
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in list(entries):
                with contextlib.suppress(OSError):
                    if self._is_leftover(entry, now_s):
                        os.unlink(entry.path)  # noqa: PTH108 - a DirEntry's path

    def _is_leftover(self, entry: os.DirEntry[str], now_s: float) -> bool:
        if entry.name.endswith(writing.GOING):
            return self.path_of(entry.name.removesuffix(writing.GOING)).exists()
        unfinished = entry.name.startswith(".") and entry.name.endswith(writing.UNFINISHED)
        return unfinished and now_s - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_S

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.folder)  # noqa: PTH208 - paths of 10,000 files take longer than their names
        except FileNotFoundError:
            return []
        except OSError as error:
            raise AipowerError(f"the runs in {self.folder} cannot be listed: {_words(error)}") from error

    def summary(self, run_id: str) -> Summary | Skipped | None:
        """The summary, why there is none, or None for a file that has just been removed."""
        path = f"{self.folder}/{run_id}{writing.RECORD}"
        try:
            return read_summary(read_bytes(path), run_id)
        except FileNotFoundError:
            return None
        except NotReadError as error:
            return Skipped(Path(path), str(error))
        except OSError as error:
            return Skipped(Path(path), _words(error))

    def _going(self, names: list[str]) -> list[Going]:
        here, there = this_machine(), set(_ids(names, writing.RECORD))
        found: list[Going] = []
        for run_id in _ids(names, writing.GOING):
            with contextlib.suppress(OSError):
                marker = read_marker(read_bytes(f"{self.folder}/{run_id}{writing.GOING}"))
                if marker is not None and marker.run_id == run_id and run_id not in there:
                    found.append(Going(marker, state_of(marker, here)))
        return sorted(found, key=lambda one: one.marker.started_unix_s)


def load_file(path: Path) -> RunRecord:
    """The record in `path`.

    Raises:
        AipowerError: There is none; the one line names the file.
    """
    try:
        return from_json(read_bytes(path))
    except OSError as error:
        raise AipowerError(f"{path}: {_words(error)}") from error
    except NoRecordError as error:
        raise AipowerError(f"{path}: {error}") from error


def read_bytes(path: str | Path) -> bytes:
    """What the file holds; a pipe that stands where a record should does not hold us up.

    Raises:
        OSError: It cannot be read.
    """
    # 20,000 such calls are most of the time of a listing: pathlib and io would take three times as long.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        size = os.fstat(descriptor).st_size
        content = os.read(descriptor, size)
        while chunk := os.read(descriptor, _CHUNK):
            content += chunk
        return content
    finally:
        os.close(descriptor)


def _ids(names: Iterable[str], ending: str) -> Iterator[str]:
    """The ids of the files that end so; names that cannot be those of a run are somebody else's."""
    for name in names:
        if name.endswith(ending) and writing.is_id(run_id := name.removesuffix(ending)):
            yield run_id


def _words(error: OSError) -> str:
    return error.strerror or type(error).__name__
