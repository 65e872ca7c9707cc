"""Holding answers against the OpenAPI document."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs are a package of their own


def validator(document: dict[str, Any], path: str, status: str) -> Draft202012Validator:
    """Of the answers of `path` with this status, which must be documented."""
    responses = document["paths"][path]["get"]["responses"]
    assert status in responses, f"{path} answers {status}, which is not documented"
    schema = responses[status]["content"]["application/json"]["schema"]
    # The references are to `#/components/…` of the whole document.
    return Draft202012Validator({**schema, "components": document["components"]})
