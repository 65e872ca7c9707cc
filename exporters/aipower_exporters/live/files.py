"""The files of the page, as the package holds them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from msgspec import Struct

PREFIX = "/static/live"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".LICENSE": "text/plain; charset=utf-8",
}
SHARED = ("uPlot.iife.min.js", "uPlot.min.css", "uPlot.LICENSE")
"""What the report of a run ships too; it is in the wheel once."""
TEMPLATE = "index.html"


class File(Struct, frozen=True):
    """What is served at one path."""

    path: str
    content: bytes
    content_type: str


def load() -> tuple[File, ...]:
    """All files but the page itself, by path."""
    own = _tree(files("aipower_exporters.live").joinpath("static"), PREFIX)
    shared = files("aipower_exporters.html").joinpath("static")
    vendored = (_file(shared.joinpath(name), f"{PREFIX}/vendor/{name}") for name in SHARED)
    return tuple(sorted((*own, *vendored), key=lambda file: file.path))


def template() -> str:
    """The page before the list of its files is in it."""
    return files("aipower_exporters.live").joinpath("static", TEMPLATE).read_text(encoding="utf-8")


def _tree(folder: Traversable, path: str) -> Iterator[File]:
    for entry in folder.iterdir():
        below = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _tree(entry, below)
        elif _suffix(entry.name) in TYPES and entry.name != TEMPLATE:
            yield _file(entry, below)


def _file(entry: Traversable, path: str) -> File:
    return File(path=path, content=entry.read_bytes(), content_type=TYPES[_suffix(entry.name)])


def _suffix(name: str) -> str:
    # Declarations for the type checker (`types.d.ts`) are of no use to a browser, so their suffix has no type above.
    return name[name.rfind(".") :]
