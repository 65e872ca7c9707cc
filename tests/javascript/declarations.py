"""TypeScript declarations of the API's documents, made of its OpenAPI file, so that the two cannot differ.

    python tests/javascript/declarations.py > exporters/aipower_exporters/live/static/js/types.d.ts

They are for the type checker only: no browser loads them, and the wheel does not carry them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]

OPENAPI = Path(__file__).parents[2] / "exporters" / "aipower_exporters" / "api" / "openapi.json"
WIDTH = 120
HEAD = """\
// The documents of the JSON API. Made from openapi.json: `python tests/javascript/declarations.py`.
// Names carry the units: _w watts, _j joules, _s seconds, _unix_s seconds since 1970, _g grams of CO2 equivalent.
"""
TAIL = """
/** Where a power (watts) or an energy (joules) went. */
export type Components = PowerParts | EnergyParts;

export type { Connection, State } from "./store.js";
export type { View } from "./view.js";
"""
SIMPLE = {"string": "string", "boolean": "boolean", "number": "number", "integer": "number", "null": "null"}


def declarations() -> str:
    """The whole file."""
    schemas = json.loads(OPENAPI.read_text(encoding="utf-8"))["components"]["schemas"]
    return "\n".join([HEAD, *(_interface(name, schema) for name, schema in schemas.items())]) + TAIL


def _interface(name: str, schema: Schema) -> str:
    required = set(schema.get("required", ()))
    lines = list(_comment(schema, ""))
    lines.append(f"export interface {name} {{")
    for field, content in schema["properties"].items():
        lines += _comment(content, "  ")
        lines.append(f"  {field}{'' if field in required else '?'}: {_type(content)};")
    return "\n".join([*lines, "}", ""])


def _comment(schema: Schema, indent: str) -> Iterator[str]:
    text = schema.get("description", "")
    unit = _unit(schema)
    if unit:
        text = f"{text} [{unit}]"
    if text:
        yield f"{indent}/** {text} */"


def _unit(schema: Schema) -> str:
    """The unit of a number, of a number or null, or of all numbers of a list."""
    inner = [schema, *schema.get("anyOf", ()), *([schema["items"]] if isinstance(schema.get("items"), dict) else ())]
    return next((str(one["x-unit"]) for one in inner if "x-unit" in one), "")


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if schema["type"] == "array":
        return _array(schema)
    if schema["type"] == "object":
        return f"Record<string, {_type(schema['additionalProperties'])}>"
    return SIMPLE[schema["type"]]


def _array(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_type(one) for one in schema['prefixItems'])}]"
    inner = _type(schema["items"])
    return f"({inner})[]" if "|" in inner else f"{inner}[]"


if __name__ == "__main__":
    sys.stdout.write(declarations())
