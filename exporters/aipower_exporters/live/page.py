"""The page: the template, with all style sheets and modules named in its head."""

from __future__ import annotations

from collections.abc import Sequence

from aipower_exporters.live.files import PREFIX, TYPES, File, template

STYLES_MARK = "<!-- styles -->"
MODULES_MARK = "<!-- modules -->"
SHEETS = ("tokens", "layout", "chart", "table", "panels", "print")
"""The order counts: a later one may change what an earlier one says."""
CLASSIC = (f"{PREFIX}/js/early.js",)
"""Scripts that are no modules: they run before the first paint."""


def page(files: Sequence[File]) -> File:
    """The file at `/`. A module is asked for at once and not when the one that imports it has come: no waterfall."""
    text = template().replace(STYLES_MARK, _styles(files)).replace(MODULES_MARK, _modules(files))
    return File(path="/", content=text.encode(), content_type=TYPES[".html"])


def _styles(files: Sequence[File]) -> str:
    there = {file.path for file in files}
    sheets = (f"{PREFIX}/vendor/uPlot.min.css", *(f"{PREFIX}/css/{name}.css" for name in SHEETS))
    return "\n".join(f'<link rel="stylesheet" href="{path}">' for path in sheets if path in there)


def _modules(files: Sequence[File]) -> str:
    modules = (file.path for file in files if file.path.startswith(f"{PREFIX}/js/") and file.path not in CLASSIC)
    return "\n".join(f'<link rel="modulepreload" href="{path}">' for path in modules)
