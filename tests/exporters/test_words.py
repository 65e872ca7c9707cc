"""The words around the numbers: label values, and the format that the scraper asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import choose_encoder

from aipower.seams import Exporter
from aipower_exporters.prometheus import PrometheusExporter
from aipower_exporters.samples import MAX_LABEL_CHARS, label_value
from exporters.snapshots import node

OPENMETRICS = "application/openmetrics-text"
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


# --- labels ---


@given(st.text(alphabet=st.characters(), max_size=300))
def test_a_label_value_is_printable_bounded_and_stays_the_same_when_cleaned_again(raw: str) -> None:
    clean = label_value(raw)
    assert clean.isprintable()
    assert len(clean) <= MAX_LABEL_CHARS
    assert label_value(clean) == clean
    clean.encode()


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("python3", "python3"),
        ('a"b\\c', 'a"b\\c'),
        ("línea 模型", "línea 模型"),
        ("a\nb", "a\ufffdb"),
        ("\x1b[31mred", "\ufffd[31mred"),
        (b"caf\xe9".decode(errors="surrogateescape"), "caf\ufffd"),
        ("x" * 128, "x" * 128),
        ("x" * 129, "x" * 127 + "…"),
    ],
)
def test_what_becomes_of_a_label_value(raw: str, clean: str) -> None:
    assert label_value(raw) == clean


# --- negotiation ---


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        (BROWSER, "text/plain"),
        ("text/plain; version=1.0.0; escaping=allow-utf-8", "text/plain"),
        (PROMETHEUS_2, OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        (OPENMETRICS, OPENMETRICS),
        (f"{OPENMETRICS.upper()} ; VERSION=1.0.0", OPENMETRICS),
        (f"{OPENMETRICS};q=0, text/plain", "text/plain"),
        (f"{OPENMETRICS};q=0.1, text/plain;q=0.9", "text/plain"),
        (f"{OPENMETRICS};q=much", "text/plain"),
        (f"{OPENMETRICS};q=nan", "text/plain"),
        # prometheus_client compares "x" with a number here, and fails.
        (f"{OPENMETRICS};version=x", OPENMETRICS),
    ],
)
def test_the_format_is_the_one_asked_for(accept: str, kind: str) -> None:
    body, content_type = PrometheusExporter().render(node(), accept)
    version = "1.0.0" if kind == OPENMETRICS else "0.0.4"
    assert content_type.startswith(f"{kind}; version={version}; charset=utf-8")
    assert body.endswith(b"# EOF\n") == (kind == OPENMETRICS)


@pytest.mark.parametrize("accept", [f"{OPENMETRICS};version=1.0.0", "text/plain"])
def test_the_type_is_that_of_prometheus_client(accept: str) -> None:
    """Later ones may say more of escaping, which is not needed: there is nothing to escape in our names."""
    told, expected = PrometheusExporter().render(node(), accept)[1], choose_encoder(accept)[1]
    assert told.split("; escaping=")[0] == expected.split("; escaping=")[0]


@given(st.text(max_size=80) | st.text(alphabet="aplictonextmrs/-;,=q.01* ", max_size=80))
def test_no_accept_header_breaks_it(accept: str) -> None:
    _, content_type = PrometheusExporter().render(node(), accept)
    assert content_type.isascii()


def test_it_is_an_exporter() -> None:
    exporter: Exporter = PrometheusExporter()
    assert exporter.path == "/metrics"
