"""What a part of the suite has found: tables, which are printed, kept and shown in the README alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Table:
    """One table of results."""

    name: str
    """Short and unique, as in `agent-node`: by it the README's copy is found."""
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """A cell for each column, units in the cell or in the column's name."""
    notes: tuple[str, ...] = ()
    """One sentence each: what was done, what fell short, what is not comparable."""

    def markdown(self) -> str:
        """The table alone, without title and notes."""
        aligned = ["---", *["--:"] * (len(self.columns) - 1)]
        lines = [self.columns, tuple(aligned), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True, slots=True)
class Options:
    """How a run of the suite is to be done."""

    scratch: Path
    """A folder for files of this run alone."""
    plots: Path
    """Where SVG plots go."""
    rivals: Path | None = None
    """Folder with a virtual environment for each rival, by name; None measures aipower alone."""
    quick: bool = False
    """A few minutes for all, fewer cases: to see that it works, not for figures."""


Part = Callable[[Options], Sequence[Table]]
"""Measures, and says on standard error how far it is."""
