"""The product names of the CPUs, for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

NAME_CHARACTERS: Final = 64
"""CPUID's brand string has at most 48."""


def models(cpuinfo: Path | None) -> Mapping[int, str]:
    """The model name of each socket from a file such as /proc/cpuinfo; empty where it cannot be told."""
    if cpuinfo is None:
        return {}
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return dict(pair for block in text.split("\n\n") if (pair := _socket_and_model(block)))


def _socket_and_model(block: str) -> tuple[int, str] | None:
    """Socket number and model name of one logical CPU; None where a line is missing or strange."""
    pairs = (line.partition(":") for line in block.split("\n"))
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    socket, model = fields.get("physical id", ""), fields.get("model name", "")
    if not (socket.isascii() and socket.isdigit() and len(socket) < NAME_CHARACTERS and model.isprintable()):
        return None
    return (int(socket), model[:NAME_CHARACTERS]) if model else None
