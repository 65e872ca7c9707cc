"""The frame of a section."""

from __future__ import annotations

from aipower_exporters.html.markup import Child, Html, tag


def section(name: str, title: str, *children: Child, lead: Child = None) -> Html:
    """A titled part of the page; `name` is its anchor, `lead` a sentence or two below the title."""
    heading = tag("h2", title, id=f"{name}-title")
    intro = tag("p", lead, class_="lead") if lead else None
    return tag("section", heading, intro, *children, id=name, aria_labelledby=f"{name}-title")
