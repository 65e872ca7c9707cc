"""Packages of others, as they lie in an environment after their installation."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "sinks.md"
OURS = {
    "textfile": "aipower_exporters.sinks.textfile:textfile",
    "jsonl": "aipower_exporters.sinks.jsonl:jsonl",
    "csv": "aipower_exporters.sinks.csv_table:csv_table",
    "pushgateway": "aipower_exporters.sinks.pushgateway:pushgateway",
}
"""The kinds of docs/sinks.md that are aipower's own."""


def install(folder: Path, name: str, modules: Mapping[str, str], points: Mapping[str, Mapping[str, str]]) -> None:
    """Put a package with `modules` and the entry points `points` by group into `folder`, as pip would."""
    for module, code in modules.items():
        (folder / f"{module}.py").write_text(code, encoding="utf-8")
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    sections = (f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in named.items()) for group, named in points.items())
    (info / "entry_points.txt").write_text("\n".join(sections))


def blocks(language: str) -> list[str]:
    """The code of docs/sinks.md in `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def tables() -> list[str]:
    """The settings of docs/sinks.md."""
    return [block for block in blocks("toml") if block.startswith("[sinks.")]


def install_the_example(folder: Path) -> None:
    """The package that docs/sinks.md shows, from what it shows, and aipower's own kinds."""
    (code,) = blocks("python")
    (project,) = [tomllib.loads(block) for block in blocks("toml") if block.startswith("[project]")]
    install(folder, project["project"]["name"], {"aipower_house": code}, project["project"]["entry-points"])
    install(folder, "aipower-own-kinds", {}, {"aipower.sinks": OURS})
