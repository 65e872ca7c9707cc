"""The OpenAPI document is that of the answers."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from typing import Any

import pytest

from aipower_exporters.api.catalogue import ENTRIES, PARAMETERS
from aipower_exporters.api.openapi import document, text
from api.clients import client
from api.schemas import validator
from api.worlds import world

FILE = files("aipower_exporters.api").joinpath("openapi.json").read_text(encoding="utf-8")


def test_the_file_is_what_the_structs_say() -> None:
    assert text() == FILE, "python -m aipower_exporters.api.openapi > exporters/aipower_exporters/api/openapi.json"


def test_the_module_prints_it() -> None:
    argv = [sys.executable, "-m", "aipower_exporters.api.openapi"]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == FILE


def test_it_is_served() -> None:
    assert client(world().sources()).get("/api/v1/openapi.json") == json.loads(FILE)


def test_each_path_is_served_and_told() -> None:
    api = client(world().sources())
    assert set(document()["paths"]) == set(api.resources) == set(api.get("/api/v1")["resources"]) == set(PARAMETERS)


@pytest.mark.parametrize("path", [entry.path for entry in ENTRIES if entry.document])
def test_an_answer_is_what_the_document_says(path: str) -> None:
    validator(json.loads(FILE), path, "200").validate(client(world().sources()).get(path))


def test_every_field_is_described() -> None:
    def fields(name: str, schema: dict[str, Any]) -> list[str]:
        return [f"{name}.{key}" for key, value in schema["properties"].items() if not value.get("description")]

    schemas = document()["components"]["schemas"]
    assert [field for name, schema in schemas.items() for field in fields(name, schema)] == []


def test_fields_with_a_unit_in_the_name_have_it_in_the_document() -> None:
    units = {"_w": "W", "_j": "J", "_unix_s": "s since 1970-01-01T00:00:00Z"}
    for name, schema in document()["components"]["schemas"].items():
        for key, value in schema["properties"].items():
            ending = "_unix_s" if key.endswith("_unix_s") else key[-2:]
            if ending in units and "$ref" not in str(value) and key != "interval_j":
                assert f"'x-unit': '{units[ending]}'" in str(value), f"{name}.{key}"
