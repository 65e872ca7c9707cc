"""Short numbers for processes, and what is shown of them, for as long as a row tells of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from aipower.model import ProcessId, ProcessInfo

log = logging.getLogger(__name__)

OTHERS = 0
"""The number of all processes that a row does not tell one by one."""

Describe = Callable[[ProcessId], ProcessInfo | None]


def nameless(process: ProcessId) -> ProcessInfo:
    """What is shown of a process of which nothing is known."""
    return ProcessInfo(process, "")


class Register:
    """A number is never given twice, so that a reader may look it up later. Not thread-safe."""

    def __init__(self, describe: Describe | None = None) -> None:
        self.describe: Describe = describe or nameless
        self._numbers: dict[ProcessId, int] = {}
        self._infos: dict[int, ProcessInfo] = {}
        self._uses: dict[int, int] = {}
        self._next = OTHERS + 1

    def __len__(self) -> int:
        return len(self._infos)

    def use(self, process: ProcessId) -> int:
        """The number of `process`, for one more row."""
        number = self._numbers.get(process)
        if number is None:
            number = self._numbers[process] = self._next
            self._next += 1
            self._infos[number] = self._described(process) or nameless(process)
            self._uses[number] = 0
        self._uses[number] += 1
        return number

    def look_again(self, process: ProcessId) -> None:
        """Take in what is known of a process by now; one that has ended keeps what was known of it."""
        number = self._numbers.get(process)
        if number is not None:
            info = self._described(process)
            if info is not None and info.comm:
                self._infos[number] = info

    def drop(self, numbers: Iterable[int]) -> None:
        """One row less for each of `numbers`."""
        for number in numbers:
            if number == OTHERS:
                continue
            self._uses[number] -= 1
            if not self._uses[number]:
                del self._uses[number]
                del self._numbers[self._infos.pop(number).id]

    def info(self, number: int) -> ProcessInfo | None:
        """What is shown of a process; None once no row tells of it."""
        return self._infos.get(number)

    def _described(self, process: ProcessId) -> ProcessInfo | None:
        """What is known of it now. Whose words these are must not keep a window from the history."""
        try:
            info = self.describe(process)
        except Exception:
            log.debug("no description of %s", process, exc_info=True)
            return None
        return info if info is not None and info.id == process else None
