"""The OpenAPI document, made of the same structs as the answers: `python -m aipower_exporters.api.openapi`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from aipower_exporters.api.catalogue import ENTRIES, Entry, Parameter
from aipower_exporters.api.documents.index import Error
from aipower_exporters.api.handlers import EARLY

Node = dict[str, Any]

REFERENCE = "#/components/schemas/{name}"
ABOUT = (
    "What a node draws and has used, who causes it, and how sure that is. All answers are JSON; times are unix "
    "seconds, powers watts, energies joules, and the names of fields carry the units. Fields may be added, and none "
    "changes its meaning while the path says v1. Null is what is not known. The agent answers only GET and HEAD; "
    "where it asks for a password or a client's certificate it does so here too."
)


def document() -> Node:
    """The whole document."""
    kinds = [Error, *(entry.document for entry in ENTRIES if entry.document)]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "aipower",
            "version": "1",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {entry.path: {"get": _operation(entry)} for entry in ENTRIES},
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def text() -> str:
    """The document as it is in the file and served."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Print it."""
    sys.stdout.write(text())
    return 0


def _operation(entry: Entry) -> Node:
    name = entry.path.rpartition("/")[2].partition(".")[0]
    found: Node = {
        "operationId": "index" if name == "v1" else name,
        "summary": entry.title,
        "description": entry.text,
    }
    if entry.parameters:
        found["parameters"] = [_parameter(parameter) for parameter in entry.parameters]
    return {**found, "responses": _responses(entry)}


def _parameter(parameter: Parameter) -> Node:
    found: Node = {
        "name": parameter.name,
        "in": "query",
        "description": parameter.text,
        "schema": dict(parameter.schema),
    }
    return {**found, "style": "form", "explode": False} if parameter.listed else found


def _responses(entry: Entry) -> Node:
    schema = {"$ref": REFERENCE.format(name=entry.document.__name__)} if entry.document else {"type": "object"}
    found: Node = {"200": {"description": "The document.", "content": _json({"schema": schema})}}
    if entry.tagged:
        found["200"]["headers"] = {"ETag": {"description": "Names this state.", "schema": {"type": "string"}}}
        found["304"] = {"description": "Nothing has changed since the state that If-None-Match names."}
    found["400"] = _error("The query makes no sense.", entry.mistakes or ("'x': unknown parameter; leave it out",))
    if entry.sampled:
        found["503"] = _error("Nothing has been measured yet.", (EARLY,))
    return found


def _error(description: str, lines: tuple[str, ...]) -> Node:
    schema = {"$ref": REFERENCE.format(name=Error.__name__)}
    examples = {f"example{number}": {"value": {"error": line}} for number, line in enumerate(lines, start=1)}
    return {"description": description, "content": _json({"schema": schema, "examples": examples})}


def _json(content: Mapping[str, Any]) -> Node:
    return {"application/json": dict(content)}


if __name__ == "__main__":
    sys.exit(main())
