"""The corpus of control groups: files of cases, each with its text and whom it belongs to."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from aipower.model import Owner, Place

FOLDER = Path(__file__).resolve().parent.parent / "cases/cgroups"


@dataclass(frozen=True, slots=True)
class Case:
    """One control group."""

    file: str
    name: str
    seen: str
    """Where such a path is documented or was seen."""
    text: str
    place: Place

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def cases() -> list[Case]:
    """All of them, in the order of the files."""
    return [
        _case(path.stem, row)
        for path in sorted(FOLDER.glob("*.toml"))
        for row in tomllib.loads(path.read_text())["case"]
    ]


def _case(file: str, row: dict[str, str]) -> Case:
    get = row.get
    owner = Owner(row["system"], get("job", ""), get("step", ""))
    place = Place(owner, get("container", ""), get("unit", ""), get("slice", ""))
    return Case(file, row["name"], row["seen"], row["text"], place)
