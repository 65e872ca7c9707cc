"""Tables: rows by labels, one column for each question."""

from __future__ import annotations

from string import ascii_uppercase

from msgspec import Struct

from aipower_exporters.grafana.model import Json, Panel, Query
from aipower_exporters.grafana.panels import PLAIN, Steps, thresholds

TIME = "${__url_time_range}"
KEEP = "${datasource:queryparam}&${cluster:queryparam}"


class Key(Struct, frozen=True):
    """A label whose values name the rows."""

    label: str
    title: str = ""
    """Shown instead of the label's name."""
    link: str = ""
    """Where a click leads; the fields of the row are `${__data.fields.LABEL}`."""


class Value(Struct, frozen=True):
    """A column of numbers."""

    title: str
    expr: str
    unit: str
    decimals: int | None = None
    steps: Steps | None = None
    bar: bool = False
    """Drawn as a bar in its cell, from 0 to the most."""
    text: tuple[tuple[str, str, str], ...] = ()
    """Shown instead of a value: value, word, colour."""


def table(
    title: str,
    description: str,
    keys: tuple[Key, ...],
    values: tuple[Value, ...],
    *,
    sort: str = "",
    width: int = 24,
    height: int = 9,
    needs: str = "",
) -> Panel:
    """A table sorted by its first column of numbers, or by `sort`, the highest first."""
    names = _field_names(values)
    return Panel(
        title, description, "table", values[0].unit, tuple(Query(value.expr, shape="table") for value in values),
        width, height,
        options={
            "cellHeight": "sm", "showHeader": True,
            "sortBy": [{"displayName": sort or values[0].title, "desc": True}],
        },
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": True},
        defaults={"mappings": [], "thresholds": thresholds(PLAIN), "color": {"mode": "thresholds"}},
        overrides=(*map(_key_override, _links(keys)), *map(_value_override, values)),
        transformations=({"id": "merge", "options": {}}, _organized(keys, values, names)),
        needs=needs,
    )  # fmt: skip


def _field_names(values: tuple[Value, ...]) -> tuple[str, ...]:
    """As Grafana names the columns of the queries."""
    if len(values) == 1:
        return ("Value",)
    return tuple(f"Value #{letter}" for letter in ascii_uppercase[: len(values)])


def _organized(keys: tuple[Key, ...], values: tuple[Value, ...], names: tuple[str, ...]) -> Json:
    titles = {key.label: key.title for key in keys if key.title}
    titles |= {name: value.title for name, value in zip(names, values, strict=True)}
    order = [*(key.label for key in keys), *names]
    return {
        "id": "organize",
        "options": {
            "excludeByName": {"Time": True},
            "indexByName": {name: place for place, name in enumerate(order)},
            "renameByName": titles,
        },
    }


def _links(keys: tuple[Key, ...]) -> tuple[Key, ...]:
    return tuple(key for key in keys if key.link)


def _key_override(key: Key) -> Json:
    link = {"title": f"Show {key.title or key.label} ${{__value.text}}", "url": key.link, "targetBlank": False}
    return {
        "matcher": {"id": "byName", "options": key.title or key.label},
        "properties": [{"id": "links", "value": [link]}],
    }


def _value_override(value: Value) -> Json:
    properties: list[Json] = [{"id": "unit", "value": value.unit}]
    if value.decimals is not None:
        properties.append({"id": "decimals", "value": value.decimals})
    if value.steps is not None:
        properties.append({"id": "thresholds", "value": thresholds(value.steps)})
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    if value.bar:
        properties.append({"id": "min", "value": 0})
        properties.append({"id": "custom.cellOptions", "value": {"type": "gauge", "mode": "basic"}})
    if value.text:
        words = {raw: {"text": word, "color": color, "index": n} for n, (raw, word, color) in enumerate(value.text)}
        properties.append({"id": "mappings", "value": [{"type": "value", "options": words}]})
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    return {"matcher": {"id": "byName", "options": value.title}, "properties": properties}


def to_dashboard(uid: str, *choices: str) -> str:
    """The address of another dashboard, with the time range, the data source and `choices` such as `var-job=...`."""
    return "/d/" + uid + "?" + "&".join((*choices, KEEP, TIME))
