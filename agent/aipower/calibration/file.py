"""The calibration file: one entry per device id. Reading is free where there is none."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from aipower.calibration.entry import Entry
from aipower.errors import AipowerError, UsageError
from aipower.model import Calibration

VARIABLE = "AIPOWER_CALIBRATION"
"""Names a file that takes the place of the two below."""
SYSTEM_FILE = Path("/etc/aipower/calibration.json")
SCHEMA = "aipower.calibration/1"
MAX_BYTES = 1 << 20
"""A thousand devices take a third of it."""
FILE_MODE = 0o644


class _Content(Struct, frozen=True):
    """What the file holds."""

    schema: str
    devices: dict[str, Entry]


class Stored(Struct, frozen=True):
    """An entry and where it was found."""

    entry: Entry
    path: Path

    @property
    def source(self) -> str:
        """For people: `METER, 2026-11-23, FILE`."""
        return ", ".join(text for text in (self.entry.meter, self.entry.date, str(self.path)) if text)


def load_calibrations(environ: Mapping[str, str], system: Path = SYSTEM_FILE) -> Mapping[str, Calibration]:
    """The calibration of each device id that has one.

    Raises:
        UsageError: A file is broken, in one line.
    """
    return {
        device: stored.entry.calibration(stored.source) for device, stored in load_entries(environ, system).items()
    }


def load_entries(environ: Mapping[str, str], system: Path = SYSTEM_FILE) -> Mapping[str, Stored]:
    """The entries that hold for this user by device id: the system's, and over them the user's own.

    Raises:
        UsageError: A file is broken, or the one that the variable names is not there.
    """
    # Path.exists() raises for a folder that is closed to us.
    if environ.get(VARIABLE) and not os.path.exists(environ[VARIABLE]):  # noqa: PTH110 - see above
        raise UsageError(f"{VARIABLE} names {environ[VARIABLE][:200]}, which is not there, or not for us to see")
    found: dict[str, Stored] = {}
    for path in calibration_files(environ, system):
        found.update({device: Stored(entry, path) for device, entry in read_entries(path).items()})
    return found


def calibration_files(environ: Mapping[str, str], system: Path = SYSTEM_FILE) -> tuple[Path, ...]:
    """Where entries are looked for; later files win. They need not exist."""
    if named := environ.get(VARIABLE):
        return (Path(named),)
    user = _user_file(environ)
    return (system,) if user is None else (system, user)


def target_file(environ: Mapping[str, str], *, root: bool, system: Path = SYSTEM_FILE) -> Path:
    """Where a new entry belongs: the file that the variable names, root's, or the user's.

    Raises:
        UsageError: A user without a home directory.
    """
    if named := environ.get(VARIABLE):
        return Path(named)
    if root:
        return system
    user = _user_file(environ)
    if user is None:
        raise UsageError(f"there is no home directory to write to; name a file with --output or {VARIABLE}")
    return user


def read_entries(path: Path) -> dict[str, Entry]:
    """The entries of one file by device id; none where there is no file.

    Raises:
        UsageError: It cannot be read or is broken.
    """
    try:
        content = _read(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    import msgspec  # noqa: PLC0415 - most machines have no such file, and aipower-run starts in 0.15 s

    try:
        decoded = msgspec.json.decode(content, type=_Content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _broken(path, str(error)) from None
    if decoded.schema != SCHEMA:
        raise _broken(path, f'its schema is "{decoded.schema[:40]!a}", not {SCHEMA}')
    return decoded.devices


def save_entry(path: Path, device: str, entry: Entry) -> None:
    """Put `entry` into the file at `path`, made if need be, beside the entries of other devices.

    Raises:
        AipowerError: It cannot be written.
        UsageError: What is there is broken; it is left as it is.
    """
    write_entries(path, {**read_entries(path), device: entry})


def remove_entry(path: Path, device: str) -> bool:
    """Take the entry of `device` out of the file at `path`; False where there is none.

    Raises:
        AipowerError: As `save_entry`.
    """
    entries = read_entries(path)
    if device not in entries:
        return False
    write_entries(path, {name: entry for name, entry in entries.items() if name != device})
    return True


def write_entries(path: Path, entries: Mapping[str, Entry]) -> None:
    """Replace the file at `path` in one step: a reader sees the old or the new one, whole.

    Raises:
        AipowerError: It cannot be written.
    """
    import msgspec  # noqa: PLC0415 - see read_entries

    content = msgspec.json.format(msgspec.json.encode(_Content(SCHEMA, dict(sorted(entries.items())))), indent=2)
    try:
        _replace(path.resolve(), content + b"\n")
    except OSError as error:
        raise AipowerError(f"{path} cannot be written: {error.strerror or error}") from error


def _user_file(environ: Mapping[str, str]) -> Path | None:
    base = environ.get("XDG_CONFIG_HOME", "")
    if base.startswith("/"):  # by the XDG specification a relative path counts as none
        return Path(base) / "aipower/calibration.json"
    home = environ.get("HOME")
    return Path(home) / ".config/aipower/calibration.json" if home else None


def _read(path: Path) -> bytes:
    # A pipe must not hold us up.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError("no calibration file: not a regular file")
        if status.st_size > MAX_BYTES:
            raise OSError(f"no calibration file: longer than {MAX_BYTES} bytes")
        return file.read(MAX_BYTES)


def _broken(path: Path, why: str) -> UsageError:
    why = " ".join(why.split())
    return UsageError(f"{path} is no calibration file: {why}; repair it, or remove it and calibrate again")


def _replace(path: Path, content: bytes) -> None:
    import tempfile  # noqa: PLC0415 - brings `random` and `shutil`, which reading never needs

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
