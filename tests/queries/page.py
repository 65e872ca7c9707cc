"""The questions of `docs/queries.md`, each with its PromQL and what is said of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
_BLOCK = re.compile(r"```promql\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Question:
    """One of them."""

    title: str
    queries: tuple[str, ...]
    remarks: str
    """The unit, and what to mind."""


def questions(text: str) -> tuple[Question, ...]:
    """Those of a page, in its order."""
    parts = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    return tuple(_question(part) for part in parts)


def _question(part: str) -> Question:
    title, _, body = part.partition("\n")
    body = re.split(r"^## ", body, flags=re.MULTILINE)[0]
    return Question(title.strip(), tuple(_BLOCK.findall(body)), _BLOCK.sub("", body).strip())
