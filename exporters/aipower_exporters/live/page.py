"""The page: the template, with its style sheet and all modules named in its head."""

from __future__ import annotations

from collections.abc import Sequence

from aipower_exporters.live.files import PREFIX, TYPES, File, template

STYLE_MARK = "<!-- style -->"
MODULES_MARK = "<!-- modules -->"
SHEETS = (
    f"{PREFIX}/vendor/uPlot.min.css",
    *(f"{PREFIX}/css/{name}.css" for name in ("tokens", "layout", "chart", "table", "panels", "print")),
)
"""The order counts: a later one may change what an earlier one says."""
STYLE = f"{PREFIX}/style.css"
CLASSIC = (f"{PREFIX}/js/early.js",)
"""Scripts that are no modules: they run before the first paint."""


def site(files: Sequence[File]) -> tuple[File, ...]:
    """All that is served: the page at `/`, its style sheet, and the files that it asks for."""
    style = _style(files)
    others = tuple(file for file in files if file.path not in SHEETS)
    return (_page(others), style, *others)


def _page(files: Sequence[File]) -> File:
    text = (
        template()
        .replace(STYLE_MARK, f'<link rel="stylesheet" href="{_below(STYLE)}">')
        .replace(MODULES_MARK, _modules(files))
    )
    return File(path="/", content=text.encode(), content_type=TYPES[".html"])


def _style(files: Sequence[File]) -> File:
    """All sheets in one: the first paint waits for it, and it would wait for the slowest of seven."""
    found = {file.path: file.content for file in files}
    return File(path=STYLE, content=b"\n".join(found[path] for path in SHEETS), content_type=TYPES[".css"])


def _modules(files: Sequence[File]) -> str:
    """A module is asked for at once and not when the one that imports it has come: no waterfall."""
    modules = (file.path for file in files if file.path.startswith(f"{PREFIX}/js/") and file.path not in CLASSIC)
    return "\n".join(f'<link rel="modulepreload" href="{_below(path)}">' for path in modules)


def _below(path: str) -> str:
    """As the page asks for it: relative, for a proxy may have put a path of its own before all of this."""
    return path.removeprefix("/")
