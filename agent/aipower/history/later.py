"""Tables that are worked out when somebody looks into them."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import TypeVar

Key = TypeVar("Key")
Value_co = TypeVar("Value_co", covariant=True)


class Later(Mapping[Key, Value_co]):
    """The table that `make` makes, from the first look on the same one: most who ask for windows want no processes."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Mapping[Key, Value_co]]) -> None:
        self._make: Callable[[], Mapping[Key, Value_co]] | None = make
        self._made: Mapping[Key, Value_co] = {}

    def __getitem__(self, key: Key) -> Value_co:
        return self._table()[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._table())

    def __len__(self) -> int:
        return len(self._table())

    def items(self) -> ItemsView[Key, Value_co]:
        """As the table has it, which is quicker than one by one."""
        return self._table().items()

    def _table(self) -> Mapping[Key, Value_co]:
        make = self._make
        if make is not None:
            # Two threads that look at the same time make two tables that are alike.
            self._made = make()
            self._make = None
        return self._made
