"""The committed files: equal to the code, and what Grafana can read."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from aipower_exporters.grafana.catalogue import dashboards
from aipower_exporters.grafana.listing import listing
from grafana.asking import FOLDER, UIDS, dashboard, panels
from grafana.checking import complaints, questions, unknown_names

ROOT = Path(__file__).parents[2]
PROVISIONING = ROOT / "config" / "grafana" / "provisioning"
OF_THE_DATA_SOURCE = {"tagKeys", "textFormat", "titleFormat", "useValueForTime"}
"""Of an annotation by Prometheus; the models of dashboards leave them to the data source."""


def test_the_files_are_what_the_code_writes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aipower_exporters.grafana", str(tmp_path / "made")]
    subprocess.run(command, check=True, timeout=60)
    made = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "made").iterdir()}
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert made == kept, "run: python -m aipower_exporters.grafana config/grafana/dashboards"
    assert kept.keys() == {f"{uid}.json" for uid in UIDS}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "aipower_exporters.grafana", str(tmp_path / "file" / "folder")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("Not a directory; name a folder of yours")


def test_the_list_in_the_documentation_is_what_the_code_says() -> None:
    text = (ROOT / "docs" / "grafana.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- begin list -->\n(.*)<!-- end list -->", text, re.DOTALL)
    assert found is not None
    assert found[1].strip() == listing().strip(), "take it from: python -m aipower_exporters.grafana --list"


@pytest.mark.parametrize("uid", UIDS)
def test_nothing_is_wrong_with_the_file(uid: str) -> None:
    board = dashboard(uid)
    assert complaints(board) == []
    assert (board["uid"], board["id"], board["schemaVersion"]) == (uid, None, 39)
    assert "__inputs" not in board
    assert board["links"][0]["type"] == "dashboards"
    assert "aipower" in board["tags"]


def lost(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """What the models do not know, and so drop."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        missing = [f"{path}.{key}" for key, value in ours.items() if key not in theirs and value is not None]
        both = [key for key in ours if key in theirs]
        return missing + [line for key in both for line in lost(ours[key], theirs[key], f"{path}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [line for n, (one, other) in pairs for line in lost(one, other, f"{path}[{n}]")]
    return [] if ours == theirs else [f"{path}: {ours!r} became {theirs!r}"]


def reread(board: dict[str, Any]) -> list[str]:
    """What is lost when Grafana's own models read a dashboard and write it again."""
    register_default_plugins()
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(copy.deepcopy(board))))
    return [line for line in lost(board, again) if line.rpartition(".")[2] not in OF_THE_DATA_SOURCE]


@pytest.mark.parametrize("uid", UIDS)
def test_grafanas_own_models_know_every_field(uid: str) -> None:
    assert reread(dashboard(uid)) == []


def test_a_field_that_grafana_does_not_know_would_be_seen() -> None:
    board = dashboard("aipower-node")
    next(panels(board))["options"]["colourMode"] = "value"
    assert reread(board) == [".panels[1].options.colourMode"]


@pytest.mark.parametrize("uid", UIDS)
def test_grafana_knows_the_units(uid: str) -> None:
    known = {getattr(units, name) for name in dir(units) if name.isupper() or name[0].isupper()}
    text = json.dumps(dashboard(uid))
    used = set(re.findall(r'"unit": "([^"]*)"', text)) | set(re.findall(r'"id": "unit", "value": "([^"]*)"', text))
    assert {"kwatth", "percentunit"} <= used
    assert used <= known


@pytest.mark.parametrize("uid", UIDS)
def test_a_wrong_metric_or_label_in_any_query_would_be_seen(uid: str) -> None:
    for place, expr in questions(dashboard(uid)):
        names = re.findall(r"aipower_\w+", expr)
        for name in names:
            assert unknown_names(expr.replace(name, name.replace("aipower", "aipowre"))), place
        if "{" in expr and names:
            assert unknown_names(re.sub(r"(aipower_\w+\{)\w+", r"\1wrong_label", expr)), place


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("description",), "", "no description"),
        (("type",), "graph", "type graph"),
        (("gridPos", "w"), 25, "out of the grid"),
        (("gridPos", "x"), 4, "lies on"),
        (("id",), 3, "two panels with the id 3"),
        (("fieldConfig", "defaults", "unit"), "", "no unit"),
        (("targets",), [], "no query"),
        (("datasource", "uid"), "mine", "another data source"),
    ],
)
def test_the_checks_complain(path: tuple[str, ...], value: object, complaint: str) -> None:
    board = dashboard("aipower-node")
    place = next(panels(board))
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert any(complaint in line for line in complaints(board)), complaints(board)


@pytest.mark.parametrize("uid", UIDS)
def test_links_lead_to_dashboards_and_hand_over_variables_that_they_have(uid: str) -> None:
    boards = {one.uid: {variable.name for variable in one.variables} for one in dashboards()}
    links = [link for panel in panels(dashboard(uid)) for link in links_of(panel)]
    assert links
    for link in links:
        target = re.fullmatch(r"/d/([\w-]+)\?(.*)", link)
        assert target is not None, link
        handed = set(re.findall(r"var-(\w+)=", target[2])) | set(re.findall(r"\$\{(\w+):queryparam\}", target[2]))
        assert handed <= boards[target[1]], link
        assert "${__url_time_range}" in link


def links_of(panel: dict[str, Any]) -> list[str]:
    properties = [one for override in panel["fieldConfig"]["overrides"] for one in override["properties"]]
    return [link["url"] for one in properties if one["id"] == "links" for link in one["value"]]


@pytest.mark.parametrize("uid", UIDS)
def test_overrides_and_sorting_name_columns_that_the_table_has(uid: str) -> None:
    tables = [panel for panel in panels(dashboard(uid)) if panel["type"] == "table"]
    for panel in tables:
        organized = panel["transformations"][1]["options"]
        renamed = organized["renameByName"]
        titles = {renamed.get(name, name) for name in organized["indexByName"]}
        assert len(titles) == len(organized["indexByName"]), panel["title"]
        assert {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]} <= titles, panel["title"]
        assert {one["displayName"] for one in panel["options"]["sortBy"]} <= titles, panel["title"]


def test_provisioning_names_the_data_source_and_the_folder_of_the_dashboards() -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources" / "aipower.yml").read_text(encoding="utf-8"))
    providers = yaml.safe_load((PROVISIONING / "dashboards" / "aipower.yml").read_text(encoding="utf-8"))
    assert (sources["apiVersion"], providers["apiVersion"]) == (1, 1)
    assert [one["type"] for one in sources["datasources"]] == ["prometheus"]
    assert sources["datasources"][0]["jsonData"]["timeInterval"] == "15s"
    assert [one["type"] for one in providers["providers"]] == ["file"]
    folder = providers["providers"][0]["options"]["path"]
    assert folder in (ROOT / "docs" / "grafana.md").read_text(encoding="utf-8")
