"""What goes into every page as it is: the style sheets and scripts, and their hashes for the page's policy."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

STYLES = ("uPlot.min.css", "style.css")
SCRIPTS = ("uPlot.iife.min.js", "model.js", "chart.js", "page.js")
LICENCE = "uPlot.LICENSE"
UPLOT_VERSION = "1.6.32"


@cache
def asset(name: str) -> str:
    """A file of the folder `static`."""
    return files("aipower_exporters.html").joinpath("static", name).read_text(encoding="utf-8")


@cache
def style() -> str:
    """All style sheets in one."""
    return "\n".join(asset(name) for name in STYLES)


@cache
def script() -> str:
    """All scripts in one."""
    return "\n".join(asset(name) for name in SCRIPTS)


def source_hash(content: str) -> str:
    """As a content security policy names an inline script or style (CSP Level 3, section 6.7.3)."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
