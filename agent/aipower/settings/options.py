"""The type and range of each setting of the agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from aipower.errors import UsageError
from aipower.settings.address import parse_address
from aipower.settings.selection import parse_selection

Value = str | float | int

MIN_INTERVAL_S = 0.02
"""The quickest power sensors of GPUs (V100) refresh every 20 ms; reading more often shows nothing new."""
MAX_INTERVAL_S = 60.0
MAX_RETENTION_S = 30 * 86400.0
MAX_PROCESSES = 100_000
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Option:
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
        "log_level": _text(lambda text: text in LOG_LEVELS, f"one of {', '.join(LOG_LEVELS)}"),
    }
)
