"""Reads the options of a sink: what is wrong is one line that begins with the key."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from aipower.errors import UsageError
from aipower.sinks import SinkError

MAX_SECRET_BYTES = 64 * 1024
"""Tokens of identity providers have a few kilobytes."""
FIRST_PRINTABLE = " "


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or token. Its file is read at each use, as such files are replaced while the agent runs."""

    key: str
    value: str = field(default="", repr=False)
    path: Path | None = None

    def read(self) -> str:
        """The secret; "" where none is set.

        Raises:
            SinkError: `denied`, the file cannot be read or holds no secret.
        """
        if self.path is None:
            return self.value
        try:
            return _secret_of(self.path)
        except ValueError as error:
            raise SinkError("denied", f"{self.key}_file: {error}") from error


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one sink."""

    raw: Mapping[str, object]

    @classmethod
    def of(cls, raw: Mapping[str, object], known: Collection[str]) -> Options:
        """The options `raw`, of which there are no others than `known`.

        Raises:
            UsageError: There is another one.
        """
        for key in raw:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                what = f'did you mean "{near[0]}"?' if near else f"the keys are {', '.join(known)}"
                raise UsageError(f"{key}: unknown key; {what}")
        return cls(raw)

    def text(self, key: str, default: str | None = None) -> str:
        """A string; without `default` it must be there and not be empty.

        Raises:
            UsageError: It is missing or no string.
        """
        value = self.raw.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise UsageError(f"{key}: {'expected' if key in self.raw else 'missing; expected'} a string")
        if any(char < FIRST_PRINTABLE or char == "\x7f" for char in value):
            raise UsageError(f"{key}: expected a string without control characters")
        return value

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`.

        Raises:
            UsageError: It is another.
        """
        value = self.raw.get(key, default)
        if type(value) is not int or not low <= value <= high:
            raise UsageError(f"{key}: expected a whole number from {low} to {high}")
        return value

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """A number from `low` to `high`.

        Raises:
            UsageError: It is another.
        """
        value = self.raw.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise UsageError(f"{key}: expected a number from {low:g} to {high:g}")
        return float(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false.

        Raises:
            UsageError: It is neither.
        """
        value = self.raw.get(key, default)
        if not isinstance(value, bool):
            raise UsageError(f"{key}: expected true or false")
        return value

    def choice(self, key: str, default: str, words: Collection[str]) -> str:
        """One of `words`.

        Raises:
            UsageError: It is another.
        """
        value = self.raw.get(key, default)
        if not isinstance(value, str) or value not in words:
            raise UsageError(f"{key}: expected one of {', '.join(words)}")
        return value

    def texts(self, key: str) -> Mapping[str, str]:
        """A table of strings, empty where it is missing.

        Raises:
            UsageError: It is none.
        """
        value = self.raw.get(key, {})
        if not isinstance(value, Mapping):
            raise UsageError(f'{key}: expected a table of strings, as in {{ name = "value" }}')
        return {name: Options(value).text(name, "") for name in _checked_names(key, value)}

    def path(self, key: str) -> Path:
        """An absolute path.

        Raises:
            UsageError: It is missing or none.
        """
        text = self.text(key)
        if not text.startswith("/"):
            raise UsageError(f"{key}: expected an absolute path")
        return Path(text)

    def readable(self, key: str) -> Path | None:
        """A file that can be read, as an absolute path; None where the key is missing.

        Raises:
            UsageError: It is none.
        """
        if key not in self.raw:
            return None
        path = self.path(key)
        try:
            path.open("rb").close()
        except OSError as error:
            raise UsageError(f"{key}: {path}: {error.strerror or error}") from error
        return path

    def url(self, key: str, example: str) -> str:
        """An address for HTTP or HTTPS. Credentials in it are refused: it is shown in logs.

        Raises:
            UsageError: It is missing or none.
        """
        text = self.text(key)
        if not _is_url(text):
            raise UsageError(f"{key}: expected an address as in {example}")
        if "@" in urlsplit(text).netloc:
            raise UsageError(f"{key}: expected an address without a password in it; see username and password_file")
        return text

    def secret(self, key: str) -> Secret:
        """The secret of `key`, or of the file that `KEY_file` names.

        Raises:
            UsageError: Both are given, or the file holds none.
        """
        name = f"{key}_file"
        if name not in self.raw:
            return Secret(key, self.text(key, ""))
        if key in self.raw:
            raise UsageError(f"{name}: expected only one of {key} and {name}")
        path = self.path(name)
        try:
            _secret_of(path)
        except ValueError as error:
            raise UsageError(f"{name}: {error}") from error
        return Secret(key, path=path)


def _checked_names(key: str, table: Mapping[object, object]) -> list[str]:
    names = [name for name in table if isinstance(name, str)]
    for name in names:
        if not isinstance(table[name], str):
            raise UsageError(f'{key}: expected a string for "{name}"')
    return names


def _secret_of(path: Path) -> str:
    """What `path` holds, without the end of its line.

    Raises:
        ValueError: It cannot be read, is empty, too long, or more than a line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from error
    try:
        text = content.decode().strip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text") from error
    if not text or len(content) > MAX_SECRET_BYTES or not text.isprintable():
        raise ValueError(f"{path}: expected one line of at most {MAX_SECRET_BYTES} bytes")
    return text


def _is_url(text: str) -> bool:
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.fragment
