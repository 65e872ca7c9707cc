"""Whatever bytes a process puts into its name, the page is read back and says so."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from aipower.model import ProcessEnergy, ProcessId, ProcessInfo, Snapshot
from aipower_exporters.prometheus import OPENMETRICS, PrometheusExporter
from aipower_exporters.samples import MAX_LABEL_CHARS, label_value
from exporters.snapshots import GPU0, node

COMM_BYTES = 15
NAMES = st.binary(max_size=40).map(os.fsdecode) | st.text(max_size=300)
UGLY = [
    b'"',
    b"\\",
    b"\\n",
    b'\\"',
    b"a\nb",
    b"\r\n# EOF\n",
    b'x"} 1\naipower_device_power_watts{device="y',
    b"{}",
    b"{0}",
    b"\x1b]0;title\x07",
    b"\xe2\x80\xa8\xe2\x80\xa9\x85",
    b"\xff\xfe\xfd",
    "模型训练工作".encode()[:COMM_BYTES],
    "💥💥💥💥💥".encode()[:COMM_BYTES],
    b"\xed\xa0\x80",
    b"\x7f\x00\x01",
    "\u202egnp.exe".encode(),
    b" ",
    b"",
]


def snapshot(*names: str) -> Snapshot:
    processes = [
        ProcessEnergy(ProcessInfo(ProcessId("b", pid, 1), name, name), name, GPU0, 0, 1_000_000, 0.0)
        for pid, name in enumerate(names, 1)
    ]
    return replace(node(), processes=tuple(processes))


def shown(names: list[str], accept: str) -> dict[str, tuple[str, str, str]]:
    """comm, user and run of each pid, as a real parser reads them."""
    body, _ = PrometheusExporter().render(snapshot(*names), accept)
    parse = openmetrics if accept else plain_text
    samples = [sample for family in parse(body.decode()) for sample in family.samples]
    energies = [sample for sample in samples if sample.name == "aipower_process_energy_joules_total"]
    assert len(energies) == len(names)
    return {e.labels["pid"]: (e.labels["comm"], e.labels["user"], e.labels["run"]) for e in energies}


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
@given(st.lists(NAMES, min_size=1, max_size=4))
@example([os.fsdecode(raw) for raw in UGLY])
def test_a_parser_reads_the_names_that_were_meant(accept: str, names: list[str]) -> None:
    expected = {str(pid): (label_value(name),) * 3 for pid, name in enumerate(names, 1)}
    assert shown(names, accept) == expected


@pytest.mark.parametrize("raw", UGLY)
def test_the_page_has_as_many_lines_as_with_a_harmless_name(raw: bytes) -> None:
    for accept in ("", OPENMETRICS):
        ugly, _ = PrometheusExporter().render(snapshot(os.fsdecode(raw)), accept)
        harmless, _ = PrometheusExporter().render(snapshot("python3"), accept)
        assert len(ugly.decode().splitlines()) == len(harmless.decode().splitlines())
        assert ugly.decode().count("\n") == harmless.decode().count("\n")


@given(NAMES)
def test_a_value_is_bounded_text_of_one_line(name: str) -> None:
    value = label_value(name)
    assert len(value) <= MAX_LABEL_CHARS
    assert len(value.encode()) <= 4 * MAX_LABEL_CHARS
    assert len(value.splitlines()) <= 1


@given(NAMES)
def test_names_that_can_be_shown_stay_as_they_are(name: str) -> None:
    if name.isprintable() and len(name) <= MAX_LABEL_CHARS:
        assert label_value(name) == name
