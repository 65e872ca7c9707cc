"""What is said where there is no report. Nothing of the question stands in it."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus

from aipower.site.resource import Answer
from aipower_exporters.html.assets import source_hash, style
from aipower_exporters.html.markup import Html, tag

LINE = "There is no report of this run: it has not ended, it was removed, or the agent does not show it."
TITLE = "No report · aipower"


def absent_page() -> Answer:
    """In the style of the reports, with a way back."""
    headers = {"cache-control": "no-store", "content-security-policy": _policy()}
    return Answer(_content(), "text/html; charset=utf-8", HTTPStatus.NOT_FOUND, headers)


def absent_json() -> Answer:
    """For programs."""
    body = json.dumps({"error": LINE}).encode()
    return Answer(body, "application/json", HTTPStatus.NOT_FOUND, {"cache-control": "no-store"})


@cache
def _policy() -> str:
    style_rule = f"style-src {source_hash(style())}"
    return f"default-src 'none'; {style_rule}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@cache
def _content() -> bytes:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", TITLE),
        tag("style", Html(style())),
    )
    brand = tag("p", tag("span", "aipower", class_="brand"), " energy report", class_="eyebrow")
    said = tag("p", f"{LINE} ", tag("a", "To the live page", href="../"))
    body = tag("body", tag("header", brand, tag("h1", "No report")), tag("main", said))
    return b"<!doctype html>\n" + tag("html", head, body, lang="en").text.encode() + b"\n"
