"""Reads a page as a browser would, but strictly: what is opened must be closed, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from aipower_exporters.html.markup import VOID


@dataclass(slots=True)
class Page:
    """What was found."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    """Text that a reader sees."""
    scripts: list[str] = field(default_factory=list)
    """Scripts that run."""
    islands: dict[str, str] = field(default_factory=dict)
    styles: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def attributes(self, name: str) -> list[str]:
        return [value or "" for _, found in self.tags for key, value in found.items() if key == name]

    def names(self) -> list[str]:
        return [name for name, _ in self.tags]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of {tag} is there twice"
        self.page.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"nothing is open that </{tag}> could close"
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        name, attributes = self.open[-1] if self.open else ("", {})
        if name == "script" and "id" in attributes:
            self.page.islands[attributes["id"] or ""] = data
        elif name == "script":
            self.page.scripts.append(data)
        elif name == "style":
            self.page.styles.append(data)
        else:
            self.page.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def parsed(page: bytes) -> Page:
    """The page's content.

    Raises:
        AssertionError: It is not well nested.
    """
    parser = _Parser()
    parser.feed(page.decode())
    parser.close()
    assert parser.open == []
    return parser.page
