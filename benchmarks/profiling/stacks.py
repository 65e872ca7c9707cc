"""What py-spy has seen of a program, added up by thread and by function."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_THREAD = re.compile(r"thread \((?P<tid>0x[0-9a-fA-F]+|[1-9][0-9]*)\)(?:: (?P<name>.*))?")
_PLACE = re.compile(r"(?P<function>.+) \((?P<file>.+):\d+\)")


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack: the thread, its functions from the outermost to the innermost, and how often it was seen."""

    thread: str
    """Its name, or its number where it has none."""
    tid: int
    functions: Sequence[str]
    """Each with its file."""
    count: int


def parse(lines: Iterable[str]) -> Iterator[Stack]:
    """The stacks of a file in py-spy's format `raw`; what is none of them is left out."""
    for line in lines:
        text, _, count = line.rstrip("\n").rpartition(" ")
        thread, *frames = text.split(";")
        found = _THREAD.fullmatch(thread)
        if found and frames and count.isdecimal():
            tid = int(found["tid"], 0)
            yield Stack(found["name"] or str(tid), tid, [_named(frame) for frame in frames], int(count))


def _named(frame: str) -> str:
    found = _PLACE.fullmatch(frame)
    return f"{found['function']} ({found['file']})" if found else frame


def by_function(stacks: Iterable[Stack]) -> Mapping[str, tuple[int, int]]:
    """How often each function was seen at work itself, and itself or in what it calls."""
    itself: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for stack in stacks:
        itself[stack.functions[-1]] += stack.count
        for function in set(stack.functions):
            within[function] += stack.count
    return {function: (itself[function], count) for function, count in within.most_common()}
