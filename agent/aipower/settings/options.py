"""The type and range of each setting of the agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from aipower.errors import UsageError
from aipower.settings.address import parse_address
from aipower.settings.places import AUTO, NONE
from aipower.settings.selection import parse_selection

Value = str | float | int

MIN_INTERVAL_S = 0.02
"""The quickest power sensors of GPUs (V100) refresh every 20 ms; reading more often shows nothing new."""
MAX_INTERVAL_S = 60.0
MAX_RETENTION_S = 30 * 86400.0
MIN_HISTORY_S = 600.0
"""Twice what is kept at full rate."""
MAX_PROCESSES = MAX_RUNS = MAX_JOBS = 100_000
MIN_FLUSH_INTERVAL_S, MAX_FLUSH_INTERVAL_S = 1.0, 3600.0
MAX_SOCKET_PATH_BYTES = 107
"""The kernel's room for the name of a socket is 108 bytes with the final zero: unix(7)."""
MAX_PATH_BYTES = 4095
"""PATH_MAX without the final zero."""
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("auto", "text", "json")
SWITCHES = ("on", "off")
USER_LABELS = ("uid", "name", "none")


class Option(Struct, frozen=True):
    """How one setting is read."""

    kind: type[str | float | int]
    accepts: Callable[[Value], bool]
    expected: str
    """What a good value is, to end the sentence "expected ...". """

    def from_text(self, text: str) -> Value:
        """The value of a variable or a flag.

        Raises:
            ValueError: It is of the wrong type or out of range.
        """
        return self._accepted(self.kind(text))

    def from_toml(self, value: object) -> Value:
        """The value of a TOML key: a whole number will do where a number is wanted, a string will not.

        Raises:
            ValueError: It is of the wrong type or out of range.
        """
        if self.kind is float and type(value) is int:
            return self._accepted(_float(value))
        if type(value) is not self.kind or not isinstance(value, (str, float, int)):
            raise ValueError(self.expected)
        return self._accepted(value)

    def _accepted(self, value: Value) -> Value:
        if not self.accepts(value):
            raise ValueError(self.expected)
        return value


def _float(number: int) -> float:
    try:
        return float(number)
    except OverflowError as error:
        raise ValueError(str(error)) from error


def _text(accepts: Callable[[str], bool], expected: str) -> Option:
    return Option(str, lambda value: accepts(str(value)), expected)


def _one_of(words: tuple[str, ...]) -> Option:
    return _text(lambda text: text in words, f"one of {', '.join(words)}")


def _place(max_bytes: int, instead: str) -> Option:
    def accepts(text: str) -> bool:
        return text in {AUTO, NONE} or _is_absolute(text, max_bytes)

    return _text(accepts, f'{instead}, "auto", or "none"')


def _is_absolute(text: str, max_bytes: int) -> bool:
    """True for the name of a file that the kernel would take."""
    try:
        return text.startswith("/") and "\0" not in text and len(text.encode()) <= max_bytes
    except UnicodeEncodeError:
        return False


def _number(kind: type[float | int], low: float, high: float, expected: str) -> Option:
    return Option(kind, lambda value: not isinstance(value, str) and low <= value <= high, expected)


def _parsed_by(parse: Callable[[str], object]) -> Callable[[str], bool]:
    """Accepts what `parse` does; what it complains of becomes the reason."""

    def accepts(text: str) -> bool:
        try:
            parse(text)
        except UsageError as error:
            raise ValueError(str(error)) from error
        return True

    return accepts


OPTIONS: Mapping[str, Option] = MappingProxyType(
    {
        "listen": _text(_parsed_by(parse_address), "HOST:PORT, as in 127.0.0.1:9877 or [::1]:9877"),
        "sensors": _text(
            _parsed_by(parse_selection),
            "auto, fake, fake:N, or names with commas between, as in nvml,rapl",
        ),
        "interval_s": _number(float, MIN_INTERVAL_S, MAX_INTERVAL_S, "seconds from 0.02 to 60"),
        "process_interval_s": _number(
            float,
            MIN_INTERVAL_S,
            MAX_RETENTION_S,
            "seconds, not fewer than interval_s",
        ),
        "retention_s": _number(float, 0, MAX_RETENTION_S, "seconds from 0 to 2592000 (30 days)"),
        "max_processes": _number(int, 1, MAX_PROCESSES, "a whole number from 1 to 100000"),
        "max_runs": _number(int, 1, MAX_RUNS, "a whole number from 1 to 100000"),
        "max_jobs": _number(int, 1, MAX_JOBS, "a whole number from 1 to 100000"),
        "job_environment": _one_of(SWITCHES),
        "created_timestamps": _one_of(SWITCHES),
        "flush_interval_s": _number(float, MIN_FLUSH_INTERVAL_S, MAX_FLUSH_INTERVAL_S, "seconds from 1 to 3600"),
        "state_dir": _place(MAX_PATH_BYTES, "an absolute path"),
        "socket": _place(MAX_SOCKET_PATH_BYTES, "an absolute path of at most 107 bytes"),
        "web_config": _text(
            lambda text: not text or _is_absolute(text, MAX_PATH_BYTES), 'an absolute path, or "" for none'
        ),
        "live_page": _one_of(SWITCHES),
        "history_s": _number(float, MIN_HISTORY_S, MAX_RETENTION_S, "seconds from 600 to 2592000 (30 days)"),
        "run_records": _place(MAX_PATH_BYTES, "an absolute path"),
        "user_labels": _one_of(USER_LABELS),
        "log_level": _one_of(LOG_LEVELS),
        "log_format": _one_of(LOG_FORMATS),
    }
)
