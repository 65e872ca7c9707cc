"""Tables: every figure that a chart shows stands in one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from aipower_exporters.html.markup import Child, Html, tag


class Column(Struct, frozen=True):
    """A column's title and style: `figure` is set to the right, `bar` takes what width is left."""

    title: Child
    style: str = ""


Row = Sequence[Child]
"""As many cells as there are columns; the first names the row."""


def table(caption: str, columns: Sequence[Column], rows: Iterable[Row], style: str = "") -> Html:
    """A table in a box that scrolls where it is too wide. Roles are told because phones lay rows out anew."""
    head = tag("tr", *(_head(column) for column in columns), role="row")
    body = [_row(columns, row) for row in rows]
    inner = tag(
        "table",
        tag("caption", caption, class_="unseen"),
        tag("thead", head, role="rowgroup"),
        tag("tbody", *body, role="rowgroup"),
        class_=style or None,
        role="table",
    )
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption)


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """A list of names and values; without those that have no value."""
    items = [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value]
    return tag("dl", *items, class_="facts")


def _head(column: Column) -> Html:
    return tag("th", column.title, class_=column.style or None, scope="col", role="columnheader")


def _row(columns: Sequence[Column], row: Row) -> Html:
    name, *cells = row
    first = tag("th", name, class_=columns[0].style or None, scope="row", role="rowheader")
    rest = [_cell(column, cell) for column, cell in zip(columns[1:], cells, strict=True)]
    return tag("tr", first, *rest, role="row")


def _cell(column: Column, cell: Child) -> Html:
    """With the column's title for narrow screens, where the heads are out of sight."""
    title = column.title if isinstance(column.title, str) else None
    return tag("td", cell, class_=column.style or None, role="cell", data_title=title)
