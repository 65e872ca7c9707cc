"""Data inside the page: `<script type="application/json">`, which no browser runs."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from aipower.runrecord import RunRecord
from aipower_exporters.html.labels import Label
from aipower_exporters.html.markup import Html

ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
"""In JSON these stand in strings only, so that an escape changes no value and ends no element."""


def record_island(record: RunRecord) -> Html:
    """The whole record: what is between the tags is a record file."""
    fields = msgspec.to_builtins(record)
    return _island("record", {"schema": fields.pop("schema"), **fields})


def labels_island(labels: Mapping[str, Label]) -> Html:
    """How the chart over time names and draws the devices."""
    return _island("labels", msgspec.to_builtins(labels))


def _island(name: str, value: object) -> Html:
    return Html(f'<script type="application/json" id="{name}">{_json(value).translate(ESCAPES)}</script>')


def _json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        # A command line may hold bytes that are no text; they are lone surrogates here, and escapes in JSON.
        return json.dumps(value, separators=(",", ":"))
