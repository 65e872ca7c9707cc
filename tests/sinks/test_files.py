"""Textfile, JSON lines and CSV carry what /metrics shows."""

from __future__ import annotations

import csv
import json
import math
import os
import stat
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings

from aipower.errors import UsageError
from aipower.model import Snapshot
from aipower.sinks import SinkError
from aipower_exporters.prometheus import PrometheusExporter
from aipower_exporters.samples import collect
from aipower_exporters.sinks.csv_table import COLUMNS, header, rows_of
from aipower_exporters.sinks.csv_table import csv_table as csv_sink
from aipower_exporters.sinks.jsonl import jsonl as jsonl_sink
from aipower_exporters.sinks.jsonl import line_of
from aipower_exporters.sinks.textfile import textfile
from exporters.snapshots import SNAPSHOTS, node
from sinks.machines import Series, program, series_of, tool

NODE_EXPORTER = "prometheus-node-exporter"


def page_of(snapshot: Snapshot) -> bytes:
    page, _ = PrometheusExporter().render(snapshot, "")
    return page


def table_of(snapshot: Snapshot) -> Series:
    """What /metrics shows."""
    return {
        (metric.name, frozenset((k, v) for k, v in zip(metric.labels, labels, strict=True) if v)): value
        for metric, series in collect(snapshot).items()
        for labels, value in series.items()
    }


def same(one: Series, other: Series) -> bool:
    """Equal, with NaN equal to itself."""
    return {k: repr(v) for k, v in one.items()} == {k: repr(v) for k, v in other.items()}


def from_csv(text: str) -> Series:
    rows = csv.DictReader(text.splitlines())
    found: Series = {}
    for row in rows:
        row.pop("at_unix_s")
        value, name = float(row.pop("value")), row.pop("metric")
        found[name, frozenset((k, v) for k, v in row.items() if v)] = value
    return found


def from_json(line: str) -> Series:
    record = json.loads(line)
    found: Series = {}
    for section in ("devices", "processes", "jobs", "runs", "users", "sinks", "agent"):
        for row in record[section]:
            labels = frozenset((k, v) for k, v in row.items() if not k.startswith("aipower_") and v)
            for name, value in row.items():
                if name.startswith("aipower_"):
                    assert (name, labels) not in found
                    found[name, labels] = value
    return found


@settings(max_examples=15)
@given(SNAPSHOTS)
def test_csv_has_the_same_series_as_the_page(snapshot: Snapshot) -> None:
    text = (header() + rows_of(snapshot)).decode()
    assert same(from_csv(text), table_of(snapshot))


@settings(max_examples=15)
@given(SNAPSHOTS)
def test_json_lines_have_the_same_series_as_the_page(snapshot: Snapshot) -> None:
    line = line_of(snapshot, "node1")
    assert line.count(b"\n") == 1
    expected = {k: v if math.isfinite(v) else None for k, v in table_of(snapshot).items()}
    assert same(from_json(line.decode()), expected)  # type: ignore[arg-type]


def test_a_json_line_says_when_and_where(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    sink = jsonl_sink({"path": str(path)}, "x")
    sink.push(node())
    sink.push(node())
    sink.close()
    first, second = path.read_text().splitlines()
    record = json.loads(first)
    assert (record["schema"], record["at_unix_s"], record["version"]) == ("aipower.sample/1", 1_790_000_000.0, "0.1.0")
    assert record["host"] == os.uname().nodename
    assert record["devices"][0] == {
        "device": "GPU-0aaa",
        "kind": "gpu",
        "index": "0",
        "aipower_device_power_watts": 412.5,
        "aipower_device_energy_joules_total": 10.000001,
        "aipower_sensor_up": 1.0,
    }
    assert first == second


def test_csv_goes_on_after_a_restart_under_one_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for _ in range(2):
        sink = csv_sink({"path": str(path)}, "x")
        sink.push(node())
        sink.close()
    head, *rows = path.read_text().splitlines()
    assert head == ",".join(COLUMNS)
    assert len(rows) == 2 * len(table_of(node()))
    assert rows[0].startswith("1790000000.0,aipower_device_power_watts,GPU-0aaa,gpu,0,")
    assert rows[0].endswith(",412.5")


def test_the_textfile_is_the_page_readable_by_all_and_leaves_with_the_agent(tmp_path: Path) -> None:
    path = tmp_path / "aipower.prom"
    before = os.umask(0o077)
    try:
        sink = textfile({"path": str(path)}, "x")
        sink.push(node())
    finally:
        os.umask(before)
    assert path.read_bytes() == page_of(node())
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]
    sink.close()
    assert list(tmp_path.iterdir()) == []
    sink.close()


def test_the_textfile_stays_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "aipower.prom"
    sink = textfile({"path": str(path), "remove": False}, "x")
    sink.push(node())
    sink.close()
    assert path.exists()


def test_a_reader_never_sees_a_part_of_the_textfile(tmp_path: Path) -> None:
    """The old file is whole as long as the new one is not: who has it open reads all of it."""
    path = tmp_path / "aipower.prom"
    sink = textfile({"path": str(path)}, "x")
    sink.push(node())
    with path.open("rb") as reader:
        first = reader.read(100)
        sink.push(Snapshot(0.0, "0.2.0"))
        assert first + reader.read() == page_of(node())
    assert path.read_bytes() == page_of(Snapshot(0.0, "0.2.0"))


def test_what_an_end_in_the_middle_has_left_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "aipower.prom"
    (tmp_path / ".aipower.prom.new").write_text("half a page")
    textfile({"path": str(path)}, "x").push(node())
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_has_gone_is_a_fault_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    sink = textfile({"path": str(folder / "a.prom")}, "x")
    folder.rmdir()
    with pytest.raises(SinkError, match="No such file"):
        sink.push(node())


def test_promtool_finds_nothing_to_complain_of_in_the_textfile(tmp_path: Path) -> None:
    path = tmp_path / "aipower.prom"
    textfile({"path": str(path)}, "x").push(node())
    command = [tool("promtool", "prometheus"), "check", "metrics"]
    done = subprocess.run(command, input=path.read_bytes(), capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_real_node_exporter_serves_the_textfile(tmp_path: Path) -> None:
    path = tmp_path / "aipower.prom"
    sink = textfile({"path": str(path)}, "x")
    sink.push(node())

    def command(port: int) -> list[str]:
        return [
            tool(NODE_EXPORTER, NODE_EXPORTER),
            "--collector.disable-defaults",
            "--collector.textfile",
            f"--collector.textfile.directory={tmp_path}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]

    tool(NODE_EXPORTER, NODE_EXPORTER)
    with program(tmp_path, command, "/metrics") as url:
        served = httpx.get(f"{url}/metrics", timeout=30).text
        sink.close()
        after = httpx.get(f"{url}/metrics", timeout=30).text
    found = {key: value for key, value in series_of(served).items() if key[0].startswith("aipower_")}
    assert found == series_of(page_of(node()).decode())
    assert series_of(served)["node_textfile_scrape_error", frozenset()] == 0
    assert "aipower_" not in "".join(name for name, _ in series_of(after))


Factory = Callable[[Mapping[str, object], str], object]


@pytest.mark.parametrize("factory", [textfile, jsonl_sink, csv_sink])
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "path: missing; expected a string"),
        ({"path": 1}, "path: expected a string"),
        ({"path": "here.prom"}, "path: expected an absolute path"),
        (
            {"path": "/no/such/folder/a.prom"},
            "path: there is no folder /no/such/folder; make it, or choose another place",
        ),
        ({"path": "/dev/null"}, "path: expected the path of a file *.prom|path: /dev/null is no file"),
        ({"path": "/tmp/a\n.prom"}, "path: expected a string without control characters"),
        ({"path": "/tmp/a.prom", "paths": 1}, 'paths: unknown key; did you mean "path"?'),
    ],
)
def test_wrong_options_are_told(factory: Factory, options: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        factory(options, "x")
    assert str(caught.value) in text.split("|")


def test_only_files_that_the_collector_reads_are_written() -> None:
    with pytest.raises(UsageError, match=r"path: expected the path of a file \*\.prom"):
        textfile({"path": "/tmp/aipower.txt"}, "x")
    with pytest.raises(UsageError, match=r"path: expected the path of a file \*\.prom"):
        textfile({"path": "/tmp/.prom"}, "x")
