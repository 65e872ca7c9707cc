"""HTML built from escaped pieces: foreign text cannot become markup, because only `tag` makes markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from msgspec import Struct

VOID = frozenset({"br", "hr", "meta", "rect", "line", "polyline", "path", "input"})
"""Elements without an end tag: HTML's own, and SVG's, which are written with a slash."""


class Html(Struct, frozen=True):
    """Markup that is ready to be sent."""

    text: str


Child = Html | str | None
"""Text is escaped; None is nothing."""
Attribute = str | float | bool | None
"""True is an attribute without a value; False and None are no attribute."""

NOTHING = Html("")


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """An element. `class_` is written `class`, `aria_label` is written `aria-label`."""
    start = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}"
    if name in VOID:
        return Html(f"{start}/>")
    return Html(f"{start}>{join(children).text}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """One after the other."""
    return Html("".join(_child(child) for child in children if child is not None))


def clean(text: str) -> str:
    """One line of printable characters, whatever is in it: no control characters, no reversal of the direction."""
    return "".join(char if char.isprintable() else "?" for char in text)


def foreign(text: str) -> Html:
    """Somebody else's text: cleaned, and kept from turning the direction of what stands beside it."""
    return tag("bdi", clean(text))


def code(text: str) -> Html:
    """Somebody else's text in the type of a terminal."""
    return tag("code", clean(text), dir="ltr")


def _child(child: Html | str) -> str:
    return child.text if isinstance(child, Html) else escape(clean(child), quote=False)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(clean(_plain(value)))}"'


def _plain(value: str | float) -> str:
    """Numbers as coordinates: two decimals are a hundredth of a pixel."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
