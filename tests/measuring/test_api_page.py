"""The programs in docs/api.md run, and its table of costs is kept by the benchmark's limits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_there_are_programs() -> None:
    assert len(PROGRAMS) == 3


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_runs(program: str, tmp_path: Path) -> None:
    environment = {**os.environ, "AIPOWER_POWERCAP_ROOT": str(tmp_path)}
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_links_lead_somewhere() -> None:
    folder = Path(__file__).parents[2] / "docs"
    for page in ("api.md", "integrations.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (folder / page).read_text()):
            assert (folder / target).is_file(), target
