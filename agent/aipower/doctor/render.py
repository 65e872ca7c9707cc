"""Findings as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from aipower.doctor.finding import Finding, Verdict
from aipower.doctor.text import plural

SCHEMA: Final = "aipower.doctor/1"
SYMBOLS: Final[Mapping[Verdict, str]] = MappingProxyType({"ok": "✓", "warn": "!", "fail": "✗", "skip": "-"})
ASCII: Final[Mapping[Verdict, str]] = MappingProxyType({"ok": "+", "warn": "!", "fail": "x", "skip": "-"})
COLOURS: Final[Mapping[Verdict, str]] = MappingProxyType({"ok": "32", "warn": "33", "fail": "31", "skip": "2"})
"""SGR numbers of ECMA-48: green, yellow, red, faint."""


def passed(findings: Sequence[Finding]) -> bool:
    """True where nothing failed; warnings do not count."""
    return all(finding.verdict != "fail" for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    """One JSON object of schema `aipower.doctor/1`, ASCII only, with a newline at its end."""
    checks = [
        {
            "id": finding.id,
            "title": finding.title,
            "verdict": finding.verdict,
            "found": finding.found,
            "remedy": finding.remedy,
        }
        for finding in findings
    ]
    return json.dumps({"schema": SCHEMA, "checks": checks, "ok": passed(findings)}, indent=2) + "\n"


def as_text(findings: Sequence[Finding], *, colour: bool = False, unicode: bool = True) -> str:
    """A line for each finding, below it the remedy where there is one, and a line that sums up."""
    width = max((len(finding.title) for finding in findings), default=0)
    symbols = SYMBOLS if unicode else ASCII
    lines: list[str] = []
    for finding in findings:
        mark = _paint(f"{symbols[finding.verdict]} {finding.verdict:4}", finding.verdict, colour=colour)
        lines.append(f"{mark}  {finding.title:{width}}  {finding.found}")
        if finding.remedy:
            lines.append(f"{'':{6 + 2 + width + 2}}{'→' if unicode else '->'} {finding.remedy}")
    return "\n".join([*lines, "", _summary(findings), ""])


def encodable(encoding: str) -> bool:
    """True where the symbols can be written in `encoding`."""
    try:
        ("".join(SYMBOLS.values()) + "→").encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def _summary(findings: Sequence[Finding]) -> str:
    counts = {verdict: sum(finding.verdict == verdict for finding in findings) for verdict in SYMBOLS}
    parts = [f"{counts['fail']} failed", plural(counts["warn"], "warning"), f"{counts['ok']} ok"]
    if counts["skip"]:
        parts.append(f"{counts['skip']} skipped")
    return ", ".join(parts)


def _paint(text: str, verdict: Verdict, *, colour: bool) -> str:
    return f"\x1b[{COLOURS[verdict]}m{text}\x1b[0m" if colour else text
