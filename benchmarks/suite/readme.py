"""Keeps the tables of a document in agreement with a file of results.

    python -m benchmarks.suite.readme RESULTS [--check] [--document README.md]

Between `<!-- suite: NAME -->` and `<!-- /suite -->` stands the table of that name, or some of it: with
`<!-- suite: NAME COLUMN|COLUMN -->` these columns of it only.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.suite.document import read_tables

_BLOCK = re.compile(r"(<!-- suite: (\S+)(?: (.+?))? -->\n)(.*?)(<!-- /suite -->)", re.DOTALL)
RESULTS = re.compile(r"benchmarks/results/\S+-watching\.md")


class UnknownTableError(ValueError):
    """The document wants what the results do not have."""


def names(document: str) -> list[str]:
    """The tables that `document` shows."""
    return [match[1] for match in _BLOCK.findall(document)]


def updated(document: str, tables: Mapping[str, str]) -> str:
    """`document` with each table as `tables` has it.

    Raises:
        UnknownTableError: There is no such table, or no such column.
    """

    def block(match: re.Match[str]) -> str:
        head, name, columns, _, end = match.groups()
        if name not in tables:
            raise UnknownTableError(f"no table {name!r} in the results; there are {', '.join(tables)}")
        table = tables[name] if columns is None else narrowed(tables[name], columns.split("|"))
        return f"{head}{table}\n{end}"

    return _BLOCK.sub(block, document)


def narrowed(table: str, columns: Sequence[str]) -> str:
    """`table` with only `columns`, in that order.

    Raises:
        UnknownTableError: It lacks one of them.
    """
    rows = [line[2:-2].split(" | ") for line in table.splitlines()]
    missing = [column for column in columns if column not in rows[0]]
    if missing:
        raise UnknownTableError(f"no column {missing[0]!r}; there are {', '.join(rows[0])}")
    places = [rows[0].index(column) for column in columns]
    return "\n".join(f"| {' | '.join(row[place] for place in places)} |" for row in rows)


def main(argv: Sequence[str] | None = None) -> int:
    """1 where `--check` finds a difference, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.suite.readme", description="Keep the tables of a document."
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing, and fail where a table differs")
    parser.add_argument("--document", type=Path, default=Path("README.md"))
    options = parser.parse_args(argv)
    old = options.document.read_text()
    new = updated(old, read_tables(options.results.read_text()))
    if not options.check:
        options.document.write_text(new)
    elif old != new:
        print(f"{options.document} differs from {options.results}: leave out --check to repair it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
