"""What the HTTP API answers: series with their samples, and warnings that must not be lost."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

NAME = "__name__"

Point = tuple[float, float]
"""Unix time in seconds, and a value."""


class NoAnswerError(Exception):
    """What came is not what the API gives."""


class Series(Struct, frozen=True):
    """The samples of one series, the oldest first."""

    labels: Mapping[str, str]
    points: Sequence[Point]

    @property
    def value(self) -> float:
        """The last one."""
        return self.points[-1][1]


class Answer(Struct, frozen=True):
    """A success."""

    data: object
    warnings: tuple[str, ...] = ()


def parse(body: bytes) -> Answer:
    """The answer in `body`.

    Raises:
        NoAnswerError: It is no success; the message is the engine's own where it gave one.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoAnswerError("no JSON") from error
    if not isinstance(told, dict) or told.get("status") != "success":
        raise NoAnswerError(message_of(told) or "no success")
    said = told.get("warnings")
    warnings = [str(text) for text in said] if isinstance(said, list) else []
    if told.get("isPartial"):
        # VictoriaMetrics has no text for it.
        warnings.append("some of its storage nodes did not answer: the data is not complete")
    return Answer(told.get("data"), tuple(warnings))


def message_of(told: object) -> str:
    """What the engine says is wrong; empty where it says nothing."""
    if not isinstance(told, dict):
        return ""
    words = told.get("error") or told.get("message") or ""
    return " ".join(str(words).split())


def series_of(answer: Answer) -> list[Series]:
    """The series of a vector or a matrix, those without a number left out.

    Raises:
        NoAnswerError: It is neither.
    """
    data = answer.data
    if not isinstance(data, dict) or data.get("resultType") not in {"vector", "matrix"}:
        raise NoAnswerError("neither a vector nor a matrix")
    try:
        found = [_series(row) for row in data["result"]]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise NoAnswerError("series that are none") from error
    return [series for series in found if series.points]


def _series(row: Mapping[str, object]) -> Series:
    labels = row["metric"]
    if not isinstance(labels, dict):
        raise TypeError("no labels")
    pairs = row.get("values", [row["value"]] if "value" in row else [])
    named = {str(name): str(value) for name, value in labels.items() if name != NAME}
    return Series(named, list(_points(pairs)))


def _points(pairs: object) -> Iterable[Point]:
    if not isinstance(pairs, list):
        raise TypeError("no samples")
    for at_s, text in pairs:
        point = float(at_s), float(text)
        if all(map(math.isfinite, point)):
            yield point


def texts_of(answer: Answer) -> list[str]:
    """The names or values of labels.

    Raises:
        NoAnswerError: It is no list.
    """
    if answer.data is None:
        return []
    if not isinstance(answer.data, list):
        raise NoAnswerError("no list")
    return [str(text) for text in answer.data]
