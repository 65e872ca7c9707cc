"""Small readings of text that others wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MAX_CHARS: Final = 2000
"""More than the command that opens the counters of eight sockets."""
FILE_BYTES: Final = 1 << 20
"""No file that is read here is longer, but for /proc/cpuinfo of huge machines, whose start is enough."""


def one_line(text: str) -> str:
    """`text` without line breaks and control characters, which could rewrite the terminal, at most MAX_CHARS long."""
    words = " ".join(text[: 2 * MAX_CHARS].split())
    shown = "".join(letter if letter.isprintable() else "?" for letter in words)
    return shown if len(shown) <= MAX_CHARS else f"{shown[: MAX_CHARS - 3]}..."


def read_text(path: Path) -> str:
    """The start of a file, stripped; "" where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES).decode(errors="replace").strip()
    except (OSError, ValueError):
        return ""


def plural(count: int, noun: str) -> str:
    """`1 GPU`, `2 GPUs`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
