"""What is kept of a page changes nothing of the next: a page is byte for byte that of somebody who keeps nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.model import ProcessEnergy, ProcessId, ProcessInfo, Snapshot
from aipower_exporters.beginnings import Beginnings, beginnings
from aipower_exporters.lines import Lines
from aipower_exporters.metrics import PROCESS_ENERGY, Metric
from aipower_exporters.prometheus import OPENMETRICS, PrometheusExporter
from aipower_exporters.samples import collect, samples
from exporters.snapshots import GPU0, node, snapshots

TWINS = ("a\nb", "a\rb", "a\tb")
"""Names that look the same once they can be printed."""


def number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else ("+Inf" if value > 0 else "-Inf")


def plain(name: str, metric: Metric, labels: tuple[str, ...], value: float) -> str:
    texts = [text.replace("\\", "\\\\").replace('"', '\\"') for text in labels]
    pairs = ",".join(f'{label}="{text}"' for label, text in sorted(zip(metric.labels, texts, strict=True)))
    return f"{name}{{{pairs}}} {number(value)}" if pairs else f"{name} {number(value)}"


def plain_lines(snapshot: Snapshot, accept: str) -> Iterator[str]:
    """The samples as they are written when nothing is kept."""
    began = beginnings(snapshot) if accept else {}
    for metric, series in collect(snapshot).items():
        for labels, value in series.items():
            yield plain(metric.name, metric, labels, value)
            at_unix_s = began.get(metric, Beginnings(None)).of(labels)
            if at_unix_s is not None:
                yield plain(f"{metric.name.removesuffix('_total')}_created", metric, labels, at_unix_s)


def named(*names: str) -> Snapshot:
    processes = [
        ProcessEnergy(ProcessInfo(ProcessId("b", 7, 1), name), "", GPU0, 0, 10**6 * place, 0.0)
        for place, name in enumerate(names, 1)
    ]
    return replace(node(), processes=tuple(processes))


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
@settings(max_examples=15)
@given(shots=st.lists(snapshots(), max_size=4))
def test_pages_are_those_of_an_exporter_that_keeps_nothing(accept: str, shots: list[Snapshot]) -> None:
    keeping = PrometheusExporter()
    for shot in (*shots, *shots):
        page, content_type = keeping.render(shot, accept)
        assert (page, content_type) == PrometheusExporter().render(shot, accept)
        shown = [line for line in page.decode().split("\n") if line and not line.startswith("#")]
        assert shown == list(plain_lines(shot, accept))


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_names_that_look_the_same_meet_in_one_series_in_each_page(accept: str) -> None:
    """The second is met first alone: what is kept of it must lead to the same series later."""
    keeping = PrometheusExporter()
    for names in (TWINS[1:2], TWINS, TWINS[:1], TWINS):
        page, _ = keeping.render(named(*names), accept)
        joules = sum(range(1, len(names) + 1))
        assert f'pid="7",run="",user=""}} {joules:.1f}\n' in page.decode()
        assert page.decode().count("\naipower_process_energy_joules_total{") == 1


def test_what_has_left_is_forgotten() -> None:
    kept = Lines(spare=50)
    used = 0
    for number_of in range(40):
        shot = named(*[f"p{number_of}-{place}" for place in range(30)])
        table = kept.table(samples(shot))
        assert len(table[PROCESS_ENERGY]) == 30
        used = sum(len(values) for values in table.values())
    assert sum(len(known) for known in kept._known.values()) <= 3 * used + 50
    assert len(kept._lines) <= 3 * used + 50


def test_a_series_has_one_line_object() -> None:
    kept = Lines()
    first, second = (kept.table(samples(named(*TWINS[:2]))) for _ in range(2))
    assert list(first[PROCESS_ENERGY]) == list(second[PROCESS_ENERGY])
    assert len(first[PROCESS_ENERGY]) == 1
