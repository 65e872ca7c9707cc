"""From a document to JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import msgspec

from aipower.site.resource import Answer
from aipower_exporters.api.documents.index import Error

JSON_TYPE = "application/json"
SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
NO_STORE: Mapping[str, str] = {"cache-control": "no-store"}

_encoder = msgspec.json.Encoder()


def encode(document: object) -> bytes:
    """`document` as JSON in UTF-8; what is no text in it is shown by the replacement character."""
    try:
        return _encoder.encode(document)
    except UnicodeEncodeError:
        # A process may call itself bytes that are no text; they are lone surrogates here, which many parsers refuse.
        text = json.dumps(msgspec.to_builtins(document), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return SURROGATE.sub(REPLACEMENT, text).encode()


def with_rows(document: object, name: str, rows: bytes) -> bytes:
    """`document`, whose list `name` is its only empty one, as JSON with rows in it that are JSON already."""
    before, empty, after = encode(document).partition(b'"%b":[]' % name.encode())
    assert empty  # noqa: S101 - it is the caller's to leave it empty
    return b"".join((before, empty[:-1], rows, b"]", after))


def joined(parts: Mapping[str, bytes]) -> bytes:
    """An object of parts that are JSON already."""
    return b"{" + b",".join(b'"%b":%b' % (name.encode(), part) for name, part in parts.items()) + b"}"


def answer(body: bytes) -> Answer:
    """What a client gets."""
    return Answer(body + b"\n", JSON_TYPE)


def refusal(status: int, reason: str) -> Answer:
    """Why a client gets nothing."""
    return Answer(encode(Error(reason)) + b"\n", JSON_TYPE, status, NO_STORE)
