"""The table of faults names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
ROWS = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")][2:]


def test_each_fault_names_a_test_that_exists() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        named = re.findall(r"\[(test_\w+)\]\(([^)]+)\)", row.rsplit("|", 2)[1])
        assert named, row
        for test, path in named:
            assert f"def {test}(" in (DOCUMENT.parent / path).read_text(), row


def test_each_test_is_named() -> None:
    document = DOCUMENT.read_text()
    for path in Path(__file__).parent.glob("test_*.py"):
        if path != Path(__file__):
            for test in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE):
                assert f"[{test}]" in document
