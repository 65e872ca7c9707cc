"""The record of a run as one HTML file: `render_html`."""

from __future__ import annotations

from aipower_exporters.html.page import render_html

__all__ = ["render_html"]
