"""The receiving end of the pipe, as simple as can be: it reads lines."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import unquote

LONGEST = 512


@dataclass
class Told:
    """One message."""

    kind: str
    at_ns: int
    pid: int
    span: int
    rest: tuple[str, ...]


@dataclass
class Receiver:
    """A pipe of the kind that `aipower-run` makes."""

    reading: int = field(init=False)
    writing: int = field(init=False)

    def __post_init__(self) -> None:
        self.reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.writing = os.open(f"/proc/self/fd/{writing}", os.O_RDWR | os.O_NONBLOCK)
        os.close(writing)
        self.inode = os.fstat(self.writing).st_ino

    def told(self, *, pid: int | None = None, descriptor: int | None = None) -> str:
        number = self.writing if descriptor is None else descriptor
        return f"{os.getpid() if pid is None else pid}:{number}:{self.inode}"

    def raw(self) -> bytes:
        parts: list[bytes] = []
        while True:
            try:
                parts.append(os.read(self.reading, 1 << 16))
            except BlockingIOError:
                return b"".join(parts)

    def messages(self) -> list[Told]:
        lines = self.raw().decode("ascii").splitlines(keepends=True)
        assert all(line.endswith("\n") and len(line) <= LONGEST for line in lines)
        return [parse(line) for line in lines]

    def brief(self) -> list[str]:
        """`B1 in 0 train`, `E1`, without times and pids, for one process."""
        return [brief(message) for message in self.messages()]

    def fill(self) -> None:
        """Leave no room for a message."""
        for size in (4096, 1):
            try:
                while True:
                    os.write(self.writing, b"x" * (size - 1) + b"\n")
            except BlockingIOError:
                continue

    def close(self) -> None:
        for descriptor in (self.reading, self.writing):
            try:
                os.close(descriptor)
            except OSError:
                continue


def parse(line: str) -> Told:
    kind, at_ns, pid, span, *rest = line.removesuffix("\n").split(" ")
    return Told(kind, int(at_ns), int(pid), int(span), tuple(rest))


def brief(message: Told) -> str:
    words = [unquote(word) for word in message.rest]
    if message.kind == "B":
        return f"B {words[1]}" if words[0] == "0" else f"B {words[1]} in {words[0]}"
    return " ".join([message.kind, *words])
