"""Reports of runs behind the agent's server."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.runrecord import RunRecord, from_json, to_json
from aipower_exporters.html import render_html
from aipower_exporters.html.page import policy
from aipower_exporters.reports import reports
from aipower_exporters.reports.absent import LINE
from aipower_exporters.reports.rendered import MOST, MOST_BYTES, Rendered
from exporters.html.records import bare, full
from reports.shelves import EVIL, RUNS, MemoryShelf, sources_of
from store.records import record

PATHS = ("/runs/{run_id}", "/runs/{run_id}/record.json")


def test_paths_and_threads() -> None:
    resources = reports(sources_of(RUNS))
    assert [(resource.path, resource.slow, resource.version) for resource in resources] == [
        (path, True, None) for path in PATHS
    ]


def test_a_run_is_its_report(client: httpx.Client) -> None:
    answer = client.get("/runs/full")
    assert (answer.status_code, answer.content) == (200, render_html(full()))
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_record_is_as_it_is_kept(client: httpx.Client) -> None:
    answer = client.get("/runs/full/record.json")
    assert (answer.status_code, from_json(answer.content)) == (200, full())
    assert answer.headers["content-type"] == "application/json"


def test_the_header_is_as_strict_as_the_page_and_lets_nobody_frame_it(client: httpx.Client) -> None:
    header = client.get("/runs/full").headers["content-security-policy"]
    assert header == f"{policy()}; frame-ancestors 'none'"
    for word in ("unsafe", "*", "'self'", "http:", "data:"):
        assert word not in header


@pytest.mark.parametrize("path", ["/runs/full", "/runs/full/record.json", "/runs/none", "/runs/none/record.json"])
def test_no_browser_keeps_or_guesses(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "content-security-policy" in headers
    assert "etag" not in headers
    assert client.head(path).content == b""


# --- none ---


@pytest.mark.parametrize(
    "word", ["none", "a%00b", "%252f", "x" * 4000, "%3Cscript%3E", "%0d%0aset-cookie:%20a=b", "é"]
)
def test_without_a_record_there_is_one_line_and_a_way_back(client: httpx.Client, word: str) -> None:
    answer = client.get(f"/runs/{word}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert LINE in answer.text
    assert '<a href="../">To the live page</a>' in answer.text
    assert "script" not in answer.text
    assert word[:20] not in answer.text.replace("none", "") or word == "none"
    assert "set-cookie" not in answer.headers
    plain = client.get(f"/runs/{word}/record.json")
    assert (plain.status_code, plain.json()) == (404, {"error": LINE})


TRICKS = (
    "/runs/..", "/runs/../full", "/runs/%2e%2e", "/runs/..%2ffull", "/runs/%2fetc", "/runs/", "/runs//full",
    "/runs/full/x", "/runs/full%2frecord.json/", "/runs/full/../../full", "/runs/.full", "/runs/full%00",
)  # fmt: skip


@pytest.mark.parametrize("target", TRICKS)
def test_no_path_leaves_the_shelf(url: str, target: str) -> None:
    """Sent as it stands: a client library would tidy it."""
    RUNS.asked.clear()
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            assert answer.readline().split()[1] == b"404"
    assert "full" not in RUNS.asked


def test_a_line_break_in_the_path_makes_no_header(client: httpx.Client) -> None:
    answer = client.get("/runs/full%0d%0ax-evil:%201")
    assert answer.status_code == 404
    assert "x-evil" not in answer.headers


def test_what_runs_call_themselves_is_text(client: httpx.Client) -> None:
    page = client.get("/runs/hostile").text
    assert EVIL not in page
    assert "<img" not in page
    assert EVIL in client.get("/runs/hostile/record.json").json()["name"]


# --- rendered once ---


def test_ten_who_ask_for_one_report_cost_one() -> None:
    made: list[str] = []
    inside = threading.Semaphore(1)

    def render(one: RunRecord) -> bytes:
        assert inside.acquire(blocking=False), "one at a time"
        made.append(one.run_id)
        inside.release()
        return to_json(one)

    rendered = Rendered(render)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(rendered.of, [full(), bare()] * 5))
    assert sorted(made) == sorted([full().run_id, bare().run_id])
    assert found[:2] == [to_json(full()), to_json(bare())]


def test_a_record_that_has_changed_is_rendered_anew() -> None:
    rendered = Rendered(to_json)
    for name in ("a", "b", "a"):
        assert from_json(rendered.of(record(name=name))).name == name


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, MOST_BYTES)), max_size=30))
def test_reports_are_kept_in_bounded_memory(asked: list[tuple[int, int]]) -> None:
    sizes = dict(asked)
    rendered = Rendered(lambda one: bytes(sizes[int(one.run_id[-8:], 16)]))
    for number, _ in asked:
        assert len(rendered.of(record(number))) == sizes[number]
        assert len(rendered._kept) <= MOST
        assert sum(map(len, rendered._kept.values())) <= MOST_BYTES


def test_each_question_goes_to_the_shelf() -> None:
    """A record that was removed is gone, whatever is kept of it."""
    shelf = MemoryShelf({"full": full()})
    (page, _) = reports(sources_of(shelf))
    from aipower.site.resource import Question  # noqa: PLC0415

    question = Question({"run_id": "full"})
    assert page.answer(question).status == 200
    shelf.records = {}
    assert page.answer(question).status == 404
