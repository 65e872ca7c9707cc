"""docs/html-report.md says what is true."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from aipower_exporters.html import render_html
from aipower_exporters.html.assets import UPLOT_VERSION
from exporters.html.records import full

PAGE = (Path(__file__).parents[3] / "docs" / "html-report.md").read_text()


def test_the_snippet_reads_the_record_out_of_a_page(tmp_path: Path) -> None:
    (tmp_path / "run.html").write_bytes(render_html(full()))
    snippet = PAGE.partition("```python\n")[2].partition("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert float(done.stdout) == full().energy_j.total


def test_the_version_of_uplot_is_told() -> None:
    assert f"uPlot](https://github.com/leeoniya/uPlot) {UPLOT_VERSION} " in PAGE
