"""A page that `aipower-run` has written, of a real run on simulated sensors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from exporters.html.browser import Tab
from exporters.html.parsing import parsed

SCRIPT = """
import time
import aipower
with aipower.phase("load data"):
    time.sleep(0.4)
for _ in range(2):
    with aipower.phase("train"):
        time.sleep(0.4)
        aipower.log(tokens=512)
"""


def test_page_of_a_real_run(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    program = Path(sys.executable).parent / "aipower-run"
    options = ["--sensors", "fake:2", "--no-save", "--metric", "accuracy=0.91", "--html", str(page)]
    done = subprocess.run(
        [program, *options, sys.executable, "-c", SCRIPT],
        env={**os.environ, "AIPOWER_SOCKET": "none"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = parsed(page.read_bytes())
    wanted = ("Simulated sensors", "accuracy", "0.91", "load data", "/token", "GPU 1", "train")
    assert [words for words in wanted if words not in found.text] == [], found.islands["record"]
    tab.open(page)
    assert tab.complaints() == []
    assert tab.window()[1] > 1.2
