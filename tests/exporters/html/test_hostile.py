"""Names are text: no process, phase or node can put markup, script or confusion into a page."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower_exporters.html import render_html
from aipower_exporters.html.markup import clean, foreign, join, tag
from exporters.html.parsing import parsed
from exporters.html.records import hostile

UGLY = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '" onload="alert(1)',
    "' onmouseover='alert(1)",
    "<!--<script>",
    "]]>",
    "&lt;b&gt;&amp;",
    "\u202egnp.exe",
    "\x00\x07\x1b[31m",
    "\u2028\u2029",
    "\udcff",
    "__proto__",
    "",
    "a" * 5000,
]
PLAIN = parsed(render_html(hostile("plain")))


@pytest.mark.parametrize("text", UGLY)
def test_ugly_text_changes_no_tag(text: str) -> None:
    page = parsed(render_html(hostile(text)))
    assert {*page.names()} <= {*PLAIN.names()}
    assert page.scripts == PLAIN.scripts
    assert {key for _, found in page.tags for key in found} <= {key for _, found in PLAIN.tags for key in found}


@pytest.mark.parametrize("text", UGLY)
def test_ugly_text_is_readable(text: str) -> None:
    assert clean(text) in parsed(render_html(hostile(text))).text


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_no_text_changes_the_page(text: str) -> None:
    page = parsed(render_html(hostile(text)))
    assert page.scripts == PLAIN.scripts
    assert {*page.names()} <= {*PLAIN.names()}
    assert clean(text) in page.text


@given(st.text())
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    page = parsed(tag("p", foreign(text), title=text).text.encode())
    assert page.text == clean(text)
    assert page.attributes("title") == [clean(text)]


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60))
def test_island_has_no_markup(text: str) -> None:
    content = render_html(hostile(text)).decode()
    for name in ("record", "labels"):
        island = content.partition(f'id="{name}">')[2].partition("</script>")[0]
        assert not {"<", ">", "&", "\u2028", "\u2029"} & {*island}


def test_cleaned_text_cannot_turn_its_direction() -> None:
    assert clean("a\u202eb\u2066c\nd\te") == "a?b?c?d?e"


def test_tags_know_nothing_none_and_flags() -> None:
    assert join(["a<b", None, tag("br")]).text == "a&lt;b<br/>"
    assert tag("input", disabled=True, checked=False, value=None, size=1.5).text == '<input disabled size="1.5"/>'
    assert tag("p", class_="x", aria_label='"').text == '<p class="x" aria-label="&quot;"></p>'
