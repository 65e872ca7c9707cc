"""The types of the fields, with their units."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

SCHEMA = "aipower.api/1"

Watts = Annotated[float, Meta(extra_json_schema={"x-unit": "W"})]
Joules = Annotated[float, Meta(extra_json_schema={"x-unit": "J"})]
Seconds = Annotated[float, Meta(extra_json_schema={"x-unit": "s"})]
UnixSeconds = Annotated[float, Meta(extra_json_schema={"x-unit": "s since 1970-01-01T00:00:00Z"})]
Grams = Annotated[float, Meta(extra_json_schema={"x-unit": "g CO2 equivalent"})]
Share = Annotated[float, Meta(ge=0, extra_json_schema={"x-unit": "1"})]
Bytes = Annotated[int, Meta(ge=0, extra_json_schema={"x-unit": "B"})]
Count = Annotated[int, Meta(ge=0)]


def about(text: str) -> Meta:
    """The description of a field."""
    return Meta(description=text)
