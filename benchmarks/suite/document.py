"""The file of results: written once, and read again for the README."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.suite.table import Table


@dataclass(frozen=True, slots=True)
class Section:
    """What one part has found."""

    part: str
    tables: Sequence[Table]
    load_before: str
    load_after: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands above the tables."""

    date: str
    command: str
    machine: Sequence[tuple[str, str]]
    rivals: Mapping[str, str]
    """The version of each."""
    title: str = "What watching costs"


def render(facts: Facts, sections: Sequence[Section], plots: Sequence[Path], beside: Path) -> str:
    """The whole file; `beside` is its folder, from which the plots are linked."""
    return "\n".join([*_head(facts), *_body(sections), *_plots(plots, beside)]) + "\n"


def _head(facts: Facts) -> Iterator[str]:
    yield f"# {facts.title}, {facts.date}"
    yield ""
    yield f"Measured by `{facts.command}`. All on the simulated driver of `tests/fake_driver`, with real processes."
    yield ""
    yield from (f"- {name}: {value}" for name, value in facts.machine)
    yield from (f"- {name}: {version}" for name, version in facts.rivals.items())


def _body(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        load = f"{section.load_before} before, {section.load_after} after"
        yield f"\n## {section.part}\n\nLoad average {load}; the part took {section.seconds:.0f} s."
        for table in section.tables:
            yield f"\n### {table.title}\n\n<!-- table: {table.name} -->\n{table.markdown()}\n<!-- /table -->"
            yield from [""] * bool(table.notes)
            yield from (f"- {note}" for note in table.notes)


def _plots(plots: Sequence[Path], beside: Path) -> Iterator[str]:
    if plots:
        yield "\n## Plots\n"
    for plot in plots:
        yield f"![{plot.stem.replace('-', ' ')}]({os.path.relpath(plot, beside)})"


def read_tables(text: str) -> dict[str, str]:
    """The Markdown of each table of a file of results, by name."""
    found: dict[str, str] = {}
    for piece in text.split("<!-- table: ")[1:]:
        name, _, rest = piece.partition(" -->\n")
        found[name] = rest.partition("\n<!-- /table -->")[0]
    return found
