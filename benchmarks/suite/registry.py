"""The parts of the suite, by name; each is imported when it is wanted."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.suite.table import Part

PARTS: Mapping[str, str] = MappingProxyType(
    {
        "agent": "benchmarks.watching.parts:agent",
        "growth": "benchmarks.watching.parts:growth",
        "scraping": "benchmarks.scraping.parts:tables",
        "wrapping": "benchmarks.wrapping.parts:tables",
        "month": "benchmarks.month.parts:tables",
    }
)
"""Module and function of each, in the order in which they are run."""


class MissingPartError(RuntimeError):
    """A part is not there, or lacks something that it needs."""


def choose(wanted: str | None) -> tuple[str, ...]:
    """The names in `wanted`, which has commas between them; None stands for all.

    Raises:
        ValueError: There is no part of that name.
    """
    if wanted is None:
        return tuple(PARTS)
    names = [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in PARTS:
            raise ValueError(f"no part {name!r}; there are {', '.join(PARTS)}")
    return tuple(name for name in PARTS if name in names)


def load(name: str) -> Part:
    """The part of that name.

    Raises:
        MissingPartError: It cannot be imported.
    """
    module, _, function = PARTS[name].partition(":")
    try:
        part: Part = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise MissingPartError(f"part {name} is not there: {error}") from error
    return part
