"""Makes a table of seconds agree with the sums that are known of its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence

LEAK = 0.01
"""What two looks at a process may have missed: this share of its time may lie where it was not seen."""
TOLERANCE = 1e-4
"""Columns that agree to this part of the whole are right: /proc/stat itself is counted by ticks."""
MOST_ROUNDS = 20
"""Rows that were hardly seen anywhere settle in two or three; what is left then is moved at once."""

Table = list[list[float]]


def fit(rows: Sequence[Sequence[float]], columns: Sequence[float]) -> Table:
    """`rows` with each row's sum as it was, and no column above its target while another has room.

    Iterative proportional fitting (W. E. Deming and F. F. Stephan, "On a least squares adjustment of a sampled
    frequency table when the expected marginal totals are known", Annals of Mathematical Statistics 11, 1940). What
    the columns hold beyond the rows is an extra row, seeded with the room that is left: it is not returned. Rows
    that fit as they are stay as they are. Rows beyond all columns together stretch these in proportion.
    """
    sums = [sum(row) for row in rows]
    targets = _stretched(columns, sum(sums))
    room = [target - sum(column) for target, column in zip(targets, _turn(rows, len(targets)), strict=True)]
    slack = TOLERANCE * sum(targets)
    if min(room) >= -slack:
        return [list(row) for row in rows]
    table = [_leaky(row, targets) for row in rows] + [[max(0.0, r) for r in room]]
    sums.append(max(0.0, sum(targets) - sum(sums)))
    table = _rescaled(table, sums)
    for _ in range(MOST_ROUNDS):
        columns_now = [sum(column) for column in _turn(table, len(targets))]
        if all(abs(t - c) <= slack for t, c in zip(targets, columns_now, strict=True)):
            break
        factors = [t / c if c > 0 else 0.0 for t, c in zip(targets, columns_now, strict=True)]
        table = _rescaled([[x * f for x, f in zip(row, factors, strict=True)] for row in table], sums)
    return _levelled(table, targets)[:-1]


def _stretched(columns: Sequence[float], total: float) -> list[float]:
    whole = sum(columns)
    if whole <= 0:
        return [total / len(columns)] * len(columns)
    return [column * max(1.0, total / whole) for column in columns]


def _levelled(table: Table, targets: Sequence[float]) -> Table:
    """`table` with what any column still holds too much, of each row alike, moved to where there is room."""
    columns = [sum(column) for column in _turn(table, len(targets))]
    keep = [min(1.0, target / column) if column > 0 else 1.0 for target, column in zip(targets, columns, strict=True)]
    room = [max(0.0, target - column) for target, column in zip(targets, columns, strict=True)]
    whole = sum(room)
    if whole <= 0:
        return table
    moved = [sum(x * (1 - k) for x, k in zip(row, keep, strict=True)) for row in table]
    return [
        [x * k + extra * free / whole for x, k, free in zip(row, keep, room, strict=True)]
        for row, extra in zip(table, moved, strict=True)
    ]


def _leaky(row: Sequence[float], targets: Sequence[float]) -> list[float]:
    """`row` with a little of it everywhere: what is 0 could never grow."""
    leak = LEAK * sum(row) / sum(targets)
    return [(1 - LEAK) * x + leak * target for x, target in zip(row, targets, strict=True)]


def _rescaled(table: Sequence[Sequence[float]], sums: Sequence[float]) -> Table:
    return [
        [x * wanted / total for x in row] if (total := sum(row)) > 0 else list(row)
        for row, wanted in zip(table, sums, strict=True)
    ]


def _turn(table: Sequence[Sequence[float]], width: int) -> list[list[float]]:
    return [[row[i] for row in table] for i in range(width)]
