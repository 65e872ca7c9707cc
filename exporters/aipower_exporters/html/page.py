"""The whole page: sections in order, in a document that may load nothing and run only its own script."""

from __future__ import annotations

from collections.abc import Iterable

from aipower.runrecord import RunRecord
from aipower_exporters.html.assets import LICENCE, UPLOT_VERSION, asset, script, source_hash, style
from aipower_exporters.html.island import labels_island, record_island
from aipower_exporters.html.labels import labels_of
from aipower_exporters.html.markup import Html, tag
from aipower_exporters.html.sections.devices import components, devices
from aipower_exporters.html.sections.gaps import faults, not_measured
from aipower_exporters.html.sections.guide import guide
from aipower_exporters.html.sections.header import header, title_of
from aipower_exporters.html.sections.origin import origin
from aipower_exporters.html.sections.phases import phases
from aipower_exporters.html.sections.power import power
from aipower_exporters.html.sections.processes import processes
from aipower_exporters.html.sections.summary import summary


def render_html(record: RunRecord) -> bytes:
    """One self-contained HTML file in UTF-8; it needs no network, and a script for the live chart only."""
    page = tag("html", _head(record), tag("body", *_body(record)), lang="en")
    return b"<!doctype html>\n" + page.text.encode() + b"\n"


def _head(record: RunRecord) -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="generator", content=f"aipower {record.version}"),
        tag("title", f"{title_of(record)} · energy · aipower"),
        tag("style", Html(style())),
    )


def policy() -> str:
    """Nothing may be loaded; only the page's own script and style count."""
    rules = (
        "default-src 'none'",
        f"script-src {source_hash(script())}",
        f"style-src {source_hash(style())}",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _body(record: RunRecord) -> Iterable[Html | None]:
    yield tag("a", "Skip to the figures", href="#summary", class_="skip")
    yield tag("div", tag("button", "Dark", type="button", id="theme"), class_="tools")
    yield header(record)
    yield tag("main", *_sections(record))
    yield _footer()
    yield record_island(record)
    yield labels_island(labels_of(record))
    yield tag("script", Html(script()))


def _sections(record: RunRecord) -> Iterable[Html | None]:
    labels = labels_of(record)
    yield summary(record, labels)
    yield power(record, labels)
    yield devices(record, labels)
    yield components(record)
    yield processes(record, labels)
    yield phases(record, labels)
    yield not_measured(record)
    yield faults(record, labels)
    yield origin(record)
    yield guide()


def _footer() -> Html:
    licence = tag(
        "details", tag("summary", f"uPlot {UPLOT_VERSION}, MIT licence"), tag("pre", *_lines(asset(LICENCE)))
    )
    save = tag("button", "Save the record as JSON", type="button", id="save")
    told = tag("p", "This file holds the whole record of the run. It loads nothing from anywhere. ", save)
    return tag("footer", told, tag("div", "The chart over time is drawn by ", licence, class_="credit"))


def _lines(text: str) -> Iterable[Html | str]:
    """Escaped, with its line ends."""
    for line in text.splitlines():
        yield line
        yield Html("\n")
