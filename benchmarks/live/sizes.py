"""How large the page is."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass

from aipower_exporters.live.files import File, load
from aipower_exporters.live.page import site


@dataclass(frozen=True, slots=True)
class Size:
    """Of files of one kind."""

    kind: str
    files: int
    plain_bytes: int
    gzip_bytes: int


def sizes() -> Sequence[Size]:
    """By the end of the name, and all together."""
    files = site(load())
    kinds = sorted({_kind(file) for file in files})
    parts = [_size(kind, [file for file in files if _kind(file) == kind]) for kind in kinds]
    return [*parts, _size("all", files)]


def _kind(file: File) -> str:
    return file.path.rpartition(".")[2] if "." in file.path else "html"


def _size(kind: str, files: Sequence[File]) -> Size:
    packed = sum(len(gzip.compress(file.content, 6)) for file in files)
    return Size(kind, len(files), sum(len(file.content) for file in files), packed)
