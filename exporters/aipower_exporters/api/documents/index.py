"""The list of resources, and what is answered to mistakes."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from aipower_exporters.api.documents.common import SCHEMA_TEXT
from aipower_exporters.api.documents.units import about


class Index(Struct, frozen=True):
    """What there is to ask."""

    schema: Annotated[str, SCHEMA_TEXT]
    version: Annotated[str, about("The agent's version; empty before the first sample.")]
    resources: Annotated[list[str], about("The paths of all resources.")]


class Error(Struct, frozen=True):
    """Why there is no answer."""

    error: Annotated[str, about("One line for people: what is wrong and what to do.")]
