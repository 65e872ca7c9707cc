"""Selectors and functions over ranges, as text of PromQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from aipower.errors import UsageError
from aipower.fleet.client import duration
from aipower.fleet.names import EXPORTED, OWN_LABELS

_MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s,{}]+))')
_NOT_TARGETS = (*OWN_LABELS, *(f"{EXPORTED}{name}" for name in OWN_LABELS))
WITHOUT = ",".join(_NOT_TARGETS)
"""All labels but those of the target."""


class Selector(Struct, frozen=True):
    """Series of one metric: matchers of the target, and values of labels that are aipower's own."""

    metric: str
    targets: tuple[str, ...] = ()
    """Matchers, as in `cluster="x"`."""
    own: tuple[tuple[str, str], ...] = ()

    def texts(self) -> list[str]:
        """One selector, or two where Prometheus may have renamed `job`, which is the scrape's own label to it."""
        plain = [f"{name}={quoted(value)}" for name, value in self.own if name != "job"]
        job = next((value for name, value in self.own if name == "job"), None)
        if job is None:
            return [self._text(plain)]
        honoured = [f"job={quoted(job)}", f'{EXPORTED}job=""']
        return [self._text([*plain, *honoured]), self._text([*plain, f"{EXPORTED}job={quoted(job)}"])]

    def over(self, function: str, span_s: float) -> str:
        """`function` over a range of each series."""
        return _either(f"{function}({text}[{duration(span_s)}])" for text in self.texts())

    def now(self, function: str = "") -> str:
        """`function` of the newest sample of each series."""
        return _either(f"{function}({text})" if function else text for text in self.texts())

    def raw(self, span_s: float) -> list[str]:
        """Queries for all samples."""
        return [f"{text}[{duration(span_s)}]" for text in self.texts()]

    def _text(self, own: Sequence[str]) -> str:
        return f"{self.metric}{{{','.join([*own, *self.targets])}}}"


def _either(texts: Iterable[str]) -> str:
    return " or ".join(texts)


def by_target(function: str, query: str) -> str:
    """`function` (sum, max...) of all series of each target."""
    return f"{function} without({WITHOUT}) ({query})"


def by_target_and_device(query: str) -> str:
    """The lowest value of each device of each target."""
    return f"min without({','.join(label for label in _NOT_TARGETS if label != 'device')}) ({query})"


def quoted(text: str) -> str:
    """A string of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def any_of(label: str, values: Iterable[str]) -> str:
    """A matcher for several values."""
    return f"{label}=~{quoted('|'.join(literal(value) for value in sorted(values)))}"


def literal(text: str) -> str:
    """`text` in a regular expression of RE2."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def matcher(text: str) -> str:
    """`cluster=x`, `cluster="x"` or with `=~`, `!=`, `!~` as a matcher.

    Raises:
        UsageError: It is none.
    """
    found = _MATCHER.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--match {_clean(text)}: one label and its value, as in 'cluster=\"x\"'")
    value = quoted(found[4]) if found[4] is not None else f'"{found[3]}"'
    return f"{found[1]}{found[2]}{value}"


def equals(labels: Mapping[str, str]) -> tuple[str, ...]:
    """Matchers for the values of `labels`."""
    return tuple(f"{name}={quoted(value)}" for name, value in labels.items())


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)
