"""Short names and colours of devices, the same in every chart and table of a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from aipower.model import SUMMED_KINDS
from aipower.runrecord import DeviceRecord, RunRecord
from aipower_exporters.html.markup import Html, foreign, join, tag
from aipower_exporters.html.wording import KINDS

HUES = 8
"""Colours in the style sheet, `--hue-0` and on; a ninth device has the first colour and another dash."""


class Label(Struct, frozen=True):
    """How a device is called and drawn."""

    text: str
    hue: int
    dash: int
    """How many rounds of colours came before: 0 is a whole line, the more the shorter the dashes."""
    summed: bool
    """False for a device that contains others, so that it must not be stacked on them."""


def labels_of(record: RunRecord) -> dict[str, Label]:
    """By device id, for devices and for all that only the power over time knows."""
    texts = _texts(record.devices)
    kinds = {row.device: row.kind for row in record.devices}
    ids = list(dict.fromkeys([*texts, *(series.device for series in record.power)]))
    return {
        device: Label(
            texts.get(device, device), order % HUES, order // HUES, kinds.get(device, "gpu") in {*SUMMED_KINDS}
        )
        for order, device in enumerate(ids)
    }


def named(labels: Mapping[str, Label], device: str) -> str:
    """The label's text, or the id of a device that has none."""
    return labels[device].text if device in labels else device


def swatch(label: Label) -> Html:
    """A spot of the device's colour and its name."""
    return join([tag("i", class_=f"swatch hue-{label.hue} dash-{min(label.dash, 3)}"), foreign(label.text)])


def _texts(devices: Sequence[DeviceRecord]) -> dict[str, str]:
    """Kind and index; with the die's or package's name, and at last the id, where several would have the same."""
    plain = {row.device: f"{KINDS.get(row.kind, row.kind)} {row.index}".strip() for row in devices}
    longer = {row.device: f"{plain[row.device]} {_last_word(row.name)}".strip() for row in devices}
    full = {row.device: f"{plain[row.device]} {row.device}" for row in devices}
    return _unique(plain, _unique(longer, full))


def _unique(short: dict[str, str], long: dict[str, str]) -> dict[str, str]:
    """The short one where it is the only one of its kind."""
    counts = Counter(short.values())
    return {device: text if counts[text] == 1 else long[device] for device, text in short.items()}


def _last_word(name: str) -> str:
    """`package-0-die-1` from `package-0-die-1 (model)`; a memory is named after its package."""
    words = name.partition(" (")[0].split()
    return words[-1] if words else ""
