"""The files of the live page: all there, small, typed, and free of what the page's policy forbids."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import cast

import pytest

from aipower.site.resource import Question
from aipower.site.sources import Sources
from aipower_exporters.live import live
from aipower_exporters.live.files import PREFIX, File, load
from aipower_exporters.live.page import SHEETS, STYLE, site
from aipower_exporters.live.serving import resource

BELOW = PREFIX.removeprefix("/")
MOST_COMPRESSED_BYTES = 150 * 1024
IMPORT = re.compile(r"""^(?:import|export)\s[^;]*?from\s+"(\.[^"]+)";""", re.MULTILINE)


@pytest.fixture(scope="module")
def loaded() -> dict[str, File]:
    return {file.path: file for file in site(load())}


def modules(loaded: dict[str, File]) -> Iterator[tuple[str, str]]:
    for path, file in loaded.items():
        if path.startswith(f"{PREFIX}/js/"):
            yield path, file.content.decode()


class Elements(HTMLParser):
    """All start tags with their attributes, and the text of scripts and styles."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.inline: list[str] = []
        self._inside = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag if tag in {"script", "style"} else self._inside

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.inline.append(data)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        return [had for name, had in self.found if name == tag and attributes.items() <= had.items()]


@pytest.fixture(scope="module")
def markup(loaded: dict[str, File]) -> Elements:
    return Elements(loaded["/"].content.decode())


def test_it_is_small(loaded: dict[str, File]) -> None:
    sizes = {path: len(gzip.compress(file.content, 6)) for path, file in loaded.items()}
    assert sum(sizes.values()) <= MOST_COMPRESSED_BYTES, sorted(sizes.items(), key=lambda one: -one[1])


@pytest.mark.parametrize(
    ("suffix", "content_type"),
    [
        (".js", "text/javascript; charset=utf-8"),
        (".css", "text/css; charset=utf-8"),
        (".svg", "image/svg+xml"),
        (".LICENSE", "text/plain; charset=utf-8"),
    ],
)
def test_each_file_says_what_it_is(loaded: dict[str, File], suffix: str, content_type: str) -> None:
    types = {file.content_type for path, file in loaded.items() if path.endswith(suffix)}
    assert types == {content_type}


def test_the_page_is_html_at_the_root(loaded: dict[str, File]) -> None:
    assert loaded["/"].content_type == "text/html; charset=utf-8"
    assert loaded["/"].content.startswith(b"<!DOCTYPE html>")
    assert all(path == "/" or path.startswith(f"{PREFIX}/") for path in loaded)


def test_everything_that_the_page_names_is_there(loaded: dict[str, File], markup: Elements) -> None:
    named = [had[key] for _, had in markup.found for key in ("src", "href") if key in had]
    assert {f"{BELOW}/js/main.js", f"{BELOW}/icon.svg"} <= set(named)
    files = {name for name in named if not name.startswith("#")} - {"metrics", "api/v1"}
    assert files <= {path.removeprefix("/") for path in loaded}


def test_a_proxy_may_serve_it_below_any_path(loaded: dict[str, File], markup: Elements) -> None:
    named = [had[key] for _, had in markup.found for key in ("src", "href") if key in had]
    assert [name for name in named if name.startswith("/") or "//" in name] == []
    absolute = re.compile(r"""["'`]/(?:api|runs|static|metrics)\b""")
    assert [path for path, source in modules(loaded) if absolute.search(source)] == []


def test_the_first_paint_waits_for_one_sheet_that_has_all_in_their_order(
    loaded: dict[str, File], markup: Elements
) -> None:
    assert [had["href"] for had in markup.all("link", rel="stylesheet")] == [STYLE.removeprefix("/")]
    sheets = {file.path: file.content for file in load() if file.path.endswith(".css")}
    assert set(sheets) == set(SHEETS)
    places = [loaded[STYLE].content.index(sheets[path]) for path in SHEETS]
    assert places == sorted(places)


def test_no_module_waits_for_another(loaded: dict[str, File], markup: Elements) -> None:
    preloaded = {had["href"] for had in markup.all("link", rel="modulepreload")}
    classic = {had["src"] for had in markup.all("script") if had.get("type") != "module"}
    assert preloaded == {path.removeprefix("/") for path, _ in modules(loaded)} - classic


def test_all_modules_are_reached_from_main(loaded: dict[str, File]) -> None:
    sources = dict(modules(loaded))
    reached: set[str] = set()
    left = [f"{PREFIX}/js/main.js"]
    while left:
        path = left.pop()
        reached.add(path)
        left += [name for name in imported(path, sources[path]) if name not in reached]
    assert reached == set(sources) - {f"{PREFIX}/js/early.js"}


def imported(path: str, source: str) -> list[str]:
    folder = PurePosixPath(path).parent
    return [normal(folder / name) for name in IMPORT.findall(source)]


def normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return str(PurePosixPath(*parts))


def test_nothing_is_inline(markup: Elements) -> None:
    assert markup.inline == []
    forbidden = {name for _, had in markup.found for name in had if name == "style" or name.startswith("on")}
    assert forbidden == set()


@pytest.mark.parametrize(
    "forbidden",
    [
        r"\binnerHTML\b",
        r"\bouterHTML\b",
        r"\binsertAdjacentHTML\b",
        r"\bdocument\.write\b",
        r"\beval\(",
        r"\bnew Function\b",
        r"\bdocument\.cookie\b",
        r"\bsessionStorage\b",
        r"""setAttribute\(\s*["']style""",
    ],
)
def test_no_script_makes_markup_or_code_of_text(loaded: dict[str, File], forbidden: str) -> None:
    assert [path for path, source in modules(loaded) if re.search(forbidden, source)] == []


def test_nothing_comes_from_elsewhere(loaded: dict[str, File]) -> None:
    # The licence names a holder and uPlot its home; the name of SVG's namespace is no address.
    own = {path: file for path, file in loaded.items() if "/vendor/" not in path}
    text = {path: file.content.decode().replace("http://www.w3.org/2000/svg", "") for path, file in own.items()}
    assert [path for path, content in text.items() if re.search(r"https?://|@import|url\(\s*[\"']?//", content)] == []


def test_the_licence_of_what_is_vendored_goes_with_it(loaded: dict[str, File], markup: Elements) -> None:
    licence = loaded[f"{PREFIX}/vendor/uPlot.LICENSE"]
    assert licence.content.startswith(b"The MIT License")
    assert markup.all("a", href=licence.path.removeprefix("/"))


def test_without_scripts_the_page_says_where_the_figures_are(loaded: dict[str, File]) -> None:
    found = re.search(r"<noscript>(.*?)</noscript>", loaded["/"].content.decode(), re.DOTALL)
    assert found
    assert 'href="metrics"' in found[1]
    assert "aipower top" in found[1]


def test_an_entity_tag_is_the_content(loaded: dict[str, File]) -> None:
    tags: dict[bytes, str] = {}
    for path, file in loaded.items():
        version = resource(file).version
        assert version, path
        tags[file.content] = version(Question())
        changed = resource(File(path, file.content + b" ", file.content_type)).version
        assert changed
        assert changed(Question()) != tags[file.content]
    assert len(set(tags.values())) == len(tags)


def test_an_answer_is_the_file_and_asks_to_be_checked(loaded: dict[str, File]) -> None:
    for file in loaded.values():
        answer = resource(file).answer(Question())
        assert (answer.body, answer.content_type, answer.status) == (file.content, file.content_type, 200)
        assert answer.headers["cache-control"] == "no-cache"


def test_what_is_no_file_of_the_page_is_not_served(loaded: dict[str, File]) -> None:
    assert not [path for path in loaded if path.endswith((".ts", ".py", "index.html"))]


def test_the_site_has_each_file_once_for_any_agent(loaded: dict[str, File]) -> None:
    # The files are the same for all agents, so that nothing of one is needed to make them.
    site = live(cast("Sources", None))
    assert sorted(one.path for one in site) == sorted(loaded)
    assert not [one.path for one in site if "{" in one.path or one.slow or one.counters]
