"""The report as text and as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.doctor.finding import Finding, Verdict
from aipower.doctor.render import as_json, as_text, encodable, passed

VERDICTS: tuple[Verdict, ...] = ("ok", "warn", "fail", "skip")
FINDINGS = st.lists(
    st.builds(Finding, st.text(), st.text(), st.sampled_from(VERDICTS), st.text(), st.text(), st.booleans())
)
REPORT = [
    Finding("python", "Python", "ok", "3.12", ""),
    Finding("nvidia", "NVIDIA driver", "warn", "none", "install it"),
    Finding("agent", "Agent", "skip", "not there", ""),
    Finding("x", "X", "fail", "broken", "mend it"),
]


def test_text_is_aligned_and_remedies_stand_below() -> None:
    assert as_text(REPORT).splitlines() == [
        "✓ ok    Python         3.12",
        "! warn  NVIDIA driver  none",
        "                       → install it",
        "- skip  Agent          not there",
        "✗ fail  X              broken",
        "                       → mend it",
        "",
        "1 failed, 1 warning, 1 ok, 1 skipped",
    ]


def test_text_in_ascii() -> None:
    text = as_text(REPORT, unicode=False)
    assert text.isascii()
    assert "x fail  X" in text
    assert "-> mend it" in text


def test_colour_adds_nothing_but_escapes() -> None:
    coloured = as_text(REPORT, colour=True)
    for number in ("31", "32", "33", "2"):
        assert f"\x1b[{number}m" in coloured
        coloured = coloured.replace(f"\x1b[{number}m", "")
    assert coloured.replace("\x1b[0m", "") == as_text(REPORT)


def test_empty_report() -> None:
    assert as_text([]).strip() == "0 failed, 0 warnings, 0 ok"
    assert passed([])


@pytest.mark.parametrize(
    ("encoding", "fits"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("no such", False)]
)
def test_symbols_need_an_encoding_that_has_them(encoding: str, fits: bool) -> None:
    assert encodable(encoding) is fits


@settings(deadline=None)
@given(FINDINGS)
def test_json_holds_every_finding_and_the_verdict_of_all(findings: list[Finding]) -> None:
    text = as_json(findings)
    assert text.isascii()
    report: dict[str, Any] = json.loads(text)
    assert list(report) == ["schema", "checks", "ok"]
    assert report["schema"] == "aipower.doctor/1"
    assert report["ok"] is all(each.verdict != "fail" for each in findings)
    for written, finding in zip(report["checks"], findings, strict=True):
        assert list(written) == ["id", "title", "verdict", "found", "remedy"]
        assert all(written[name] == getattr(finding, name) for name in written)


@settings(deadline=None)
@given(FINDINGS)
def test_text_never_breaks(findings: list[Finding]) -> None:
    text = as_text(findings)
    assert all(finding.found in text for finding in findings)
