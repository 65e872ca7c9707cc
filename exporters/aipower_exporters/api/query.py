"""What a client asks for after the question mark; every mistake is told with what to do."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

from aipower.errors import UsageError
from aipower_exporters.api.limits import MOST_DEVICES

LONGEST_TOLD = 40

Word = TypeVar("Word", bound=str)


def only(query: Mapping[str, str], names: Sequence[str]) -> None:
    """All parameters must be among `names`.

    Raises:
        UsageError: One is not.
    """
    for name in query:
        if name not in names:
            raise UsageError(f"{told(name)}: unknown parameter; {_remedy(name, names)}")


def number(query: Mapping[str, str], name: str, low: float = -math.inf, high: float = math.inf) -> float | None:
    """A finite number; None where it is not given.

    Raises:
        UsageError: It is no number, or out of the range.
    """
    text = query.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and low <= value <= high):
        raise UsageError(f"{name}: expected {_range(low, high)}, not {told(text)}")
    return value


def whole(query: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    """A whole number; None where it is not given.

    Raises:
        UsageError: It is none, or out of the range.
    """
    value = number(query, name, low, high)
    if value is not None and not value.is_integer():
        raise UsageError(f"{name}: expected a whole number from {low} to {high}, not {told(query[name])}")
    return None if value is None else int(value)


def choice(query: Mapping[str, str], name: str, words: Sequence[Word]) -> Word:
    """One of `words`; the first where it is not given.

    Raises:
        UsageError: It is none of them.
    """
    return _word(name, query.get(name, words[0]), words)


def choices(query: Mapping[str, str], name: str, words: Sequence[Word]) -> frozenset[Word] | None:
    """Several of `words` with commas between them; None where it is not given.

    Raises:
        UsageError: One is none of them.
    """
    text = query.get(name)
    if text is None:
        return None
    return frozenset(_word(name, word, words) for word in text.split(",") if word)


def devices(query: Mapping[str, str]) -> tuple[str, ...] | None:
    """Ids with commas between them, each once; None where there is none.

    Raises:
        UsageError: There are too many.
    """
    found = tuple(dict.fromkeys(word for word in query.get("device", "").split(",") if word))
    if len(found) > MOST_DEVICES:
        raise UsageError(f"device: {len(found)} ids; ask for {MOST_DEVICES} at most, or leave it out for all")
    return found or None


def told(text: str) -> str:
    """What the client has said, in one line and quotes."""
    clean = "".join(char if char.isprintable() else "?" for char in text[:LONGEST_TOLD])
    return f"'{clean}…'" if len(text) > LONGEST_TOLD else f"'{clean}'"


def _word(name: str, text: str, words: Sequence[Word]) -> Word:
    for word in words:
        if word == text:
            return word
    raise UsageError(f"{name}: unknown word {told(text)}; {_remedy(text, words)}")


def _remedy(text: str, words: Sequence[str]) -> str:
    near = difflib.get_close_matches(text[:LONGEST_TOLD], words, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are {', '.join(words)}" if words else "leave it out"


def _range(low: float, high: float) -> str:
    if math.isinf(low):
        return "a number of seconds"
    return f"a number from {low:g} to {high:g}"
