"""The JavaScript of the live page: its unit tests under node, and its types against the API."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from javascript.declarations import declarations

HERE = Path(__file__).parent
TYPES = HERE.parents[1] / "exporters" / "aipower_exporters" / "live" / "static" / "js" / "types.d.ts"
OLDEST_NODE = (18, 19)
LIMIT_S = 120


def need_node() -> str:
    """Where node is; skips the test where it is missing or too old, but never in CI."""
    node = shutil.which("node")
    if node is not None and version_of(node) >= OLDEST_NODE:
        return node
    reason = "needs node 18.19 or newer: apt-get install nodejs"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def version_of(node: str) -> tuple[int, int]:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout
    numbers = re.match(r"v(\d+)\.(\d+)", told)
    assert numbers is not None, told
    return int(numbers[1]), int(numbers[2])


def test_the_page_is_typed_as_the_api_answers() -> None:
    remedy = "run `python tests/javascript/declarations.py > types.d.ts` there"
    assert TYPES.read_text(encoding="utf-8") == declarations(), remedy


def test_units_under_node() -> None:
    command = [need_node(), "--import", "./hooks/register.js", "--test", "--test-reporter=tap"]
    found = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    # A folder without tests is a success to node.
    passed = re.search(r"^# pass (\d+)$", found.stdout, re.MULTILINE)
    assert passed is not None, found.stdout
    assert int(passed[1]) > 0, found.stdout
