"""Sites behind the agent's server: tags, what is kept, compression, headers, slow answers."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from aipower.daemon.health import Health
from aipower.daemon.serving.http import HttpService, make_app
from aipower.daemon.sites.answers import MAX_ANSWERS, MAX_BYTES, Answers, coded
from aipower.daemon.sites.lane import MAX_AT_WORK
from aipower.daemon.sites.mount import POLICY, Mounting
from aipower.model import Snapshot
from aipower.site.resource import Answer, Question, Resource
from exporters.snapshots import node

LONG = b"[" + b"1," * 2000 + b"1]"


@dataclass
class Counted:
    """A resource that counts how often it is asked, whose state a test sets."""

    state: str = "a"
    asked: list[Question] = field(default_factory=list)
    body: bytes = LONG
    status: int = 200

    def answer(self, question: Question) -> Answer:
        self.asked.append(question)
        return Answer(self.body, "application/json", self.status)

    def resource(self, path: str = "/api", *, versioned: bool = True) -> Resource:
        return Resource(path, self.answer, (lambda _question: self.state) if versioned else None)


class Servers:
    """Services that end with the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(self, *sites: Resource) -> httpx.Client:
        app = make_app(node, [], lambda: Health(ok=True), sites=sites)
        service = self._stack.enter_context(HttpService(app, "127.0.0.1", 0))
        return self._stack.enter_context(httpx.Client(base_url=f"http://{service.address}", timeout=60))


@pytest.fixture
def start() -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(stack)


# --- versions ---


def test_who_knows_the_version_is_told_so_and_nothing_is_made(start: Servers) -> None:
    counted = Counted()
    client = start(counted.resource())
    tag = client.get("/api").headers["etag"]
    for header in (tag, f'"x", {tag}', "*"):
        again = client.get("/api", headers={"if-none-match": header})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert len(counted.asked) == 1
    counted.state = "b"
    fresh = client.get("/api", headers={"if-none-match": tag})
    assert (fresh.status_code, fresh.content) == (200, LONG)
    assert fresh.headers["etag"] != tag


def test_ten_who_ask_the_same_cost_one_answer(start: Servers) -> None:
    counted = Counted()
    client = start(counted.resource())
    assert {client.get("/api?a=1").content for _ in range(10)} == {LONG}
    assert len(counted.asked) == 1
    client.get("/api?a=2")
    assert [question.query for question in counted.asked] == [{"a": "1"}, {"a": "2"}]


def test_without_a_version_each_answer_is_new(start: Servers) -> None:
    counted = Counted()
    client = start(counted.resource(versioned=False))
    for _ in range(3):
        assert "etag" not in client.get("/api").headers
    assert len(counted.asked) == 3


def test_a_refusal_is_never_kept(start: Servers) -> None:
    counted = Counted(status=400, body=b'{"error":"no"}')
    client = start(counted.resource())
    answers = [client.get("/api") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert "etag" not in answers[0].headers
    assert len(counted.asked) == 2


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 2 * MAX_BYTES // 3)), max_size=60))
def test_made_up_questions_gain_no_memory(asked: list[tuple[int, int]]) -> None:
    answers = Answers()
    bodies: dict[str, int] = {}
    for number, size in asked:
        answer = Answer(bytes(size), "x/y")
        answers.put(("/", str(number), "", False), "v", coded(answer, gzip=False))
        bodies[str(number)] = size
    kept = [size for name, size in bodies.items() if answers.get(("/", name, "", False), "v")]
    assert sum(kept) <= MAX_BYTES
    assert len(kept) <= MAX_ANSWERS
    if asked:
        last = answers.get(("/", str(asked[-1][0]), "", False), "v")
        assert (last is not None) == (asked[-1][1] <= MAX_BYTES // 4)


# --- what goes out ---


def test_every_answer_has_a_strict_policy_and_is_asked_for_again(start: Servers) -> None:
    headers = start(Counted().resource()).get("/api").headers
    assert headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "private, no-cache"
    assert "set-cookie" not in headers


def test_an_answer_may_bring_its_own_policy(start: Servers) -> None:
    policy = "default-src 'none'; script-src 'sha256-x'"
    answer = Answer(b"page", "text/html", headers={"content-security-policy": policy})
    client = start(Resource("/runs/{run_id}", lambda _question: answer))
    assert client.get("/runs/a").headers["content-security-policy"] == policy


def test_bytes_are_compressed_for_others_but_not_for_this_machine(start: Servers) -> None:
    client = start(Counted().resource())
    assert "content-encoding" not in client.get("/api", headers={"accept-encoding": "gzip"}).headers

    def ask(host: str, encoding: str) -> tuple[str | None, bytes]:
        headers = [(b"accept-encoding", encoding.encode())]
        scope = {"type": "http", "method": "GET", "path": "/api", "query_string": b"", "headers": headers}
        request = Request({**scope, "client": (host, 4711), "server": ("agent", 9877), "scheme": "http"})
        response = asyncio.run(Mounting(_ready).handler(Counted().resource())(request))
        return response.headers.get("content-encoding"), bytes(response.body)

    assert ask("192.0.2.7", "br") == (None, LONG)
    coding, body = ask("192.0.2.7", "gzip")
    assert (coding, gzip.decompress(body)) == ("gzip", LONG)
    assert ask("::1", "gzip")[0] is None
    assert ask("not an address", "gzip")[0] == "gzip"


async def _ready() -> None:
    """At once."""


def test_short_answers_and_pictures_are_not_compressed() -> None:
    assert coded(Answer(b"[]", "application/json"), gzip=True).coding == ""
    assert coded(Answer(LONG, "image/png"), gzip=True).coding == ""
    assert coded(Answer(LONG, "text/javascript; charset=utf-8"), gzip=True).coding == "gzip"


def test_parameters_of_the_path_and_the_query_arrive(start: Servers) -> None:
    counted = Counted()
    client = start(counted.resource("/runs/{run_id}"))
    client.get("/runs/2026-a?x=1&x=2&y=%00%ff", headers={"accept": "text/html"})
    question = counted.asked[0]
    assert (question.path, question.accept) == ({"run_id": "2026-a"}, "text/html")
    assert question.query == {"x": "2", "y": "\0�"}
    assert question.query_string == "x=1&x=2&y=%00%ff"


def test_counters_wait_for_the_disk() -> None:
    settled: list[Snapshot] = []

    async def settle(snapshot: Snapshot) -> None:
        settled.append(snapshot)

    counted = Counted()
    resources = [Resource("/with", counted.answer, counters=True), Resource("/without", counted.answer)]
    app = make_app(node, [], lambda: Health(ok=True), settle=settle, sites=resources)
    with HttpService(app, "127.0.0.1", 0) as service:
        httpx.get(f"http://{service.address}/without", timeout=60)
        assert not settled
        httpx.get(f"http://{service.address}/with", timeout=60)
    assert len(settled) == 1


# --- slow answers ---


def test_a_slow_answer_keeps_nobody_waiting_and_only_a_few_are_made_at_once(start: Servers) -> None:
    release, inside = threading.Event(), []

    def slow(_question: Question) -> Answer:
        inside.append(1)
        assert release.wait(60)
        return Answer(b"done", "text/plain")

    client = start(Resource("/slow", slow, slow=True), Counted().resource())
    with ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(client.get, "/slow") for _ in range(6)]
        for _ in range(20):
            assert client.get("/api").status_code == 200
        assert len(inside) <= MAX_AT_WORK
        release.set()
        assert [one.result().text for one in asking] == ["done"] * 6


# --- the front page ---


def test_browsers_get_the_page_and_programs_the_index(start: Servers) -> None:
    page = Resource("/", lambda _question: Answer(b"<!doctype html>", "text/html; charset=utf-8"))
    listed = Resource("/api/v1", lambda _question: Answer(b"{}", "application/json"), listed=True)
    client = start(page, listed, Counted().resource("/hidden"))
    browser = client.get("/", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert browser.text == "<!doctype html>"
    program = client.get("/", headers={"accept": "*/*"})
    assert program.headers["content-type"].startswith("text/plain")
    assert "/api/v1\n" in program.text
    assert "/hidden" not in program.text
    assert "Accept" in browser.headers["vary"]
    assert program.headers["vary"] == "Accept"


@pytest.mark.parametrize("paths", [("/", "/"), ("/healthz",), ("/a", "/a")])
def test_two_pages_cannot_share_a_path(paths: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="the same path"):
        make_app(node, [], lambda: Health(ok=True), sites=[Counted().resource(path) for path in paths])


def test_a_bug_in_an_answer_is_one_line_to_the_client(start: Servers) -> None:
    def buggy(_question: Question) -> Answer:
        raise ZeroDivisionError

    answer = start(Resource("/api", buggy)).get("/api")
    assert (answer.status_code, answer.text) == (500, "500 the agent failed to answer; see its log\n")
