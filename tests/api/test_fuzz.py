"""Whatever a running agent is asked, it answers as the OpenAPI document says, and goes on."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.schemas import validator
from daemon.agents import Agent

EXAMPLES = 200
HOSTILE = st.text(max_size=30) | st.sampled_from((
    "-1", "1e308", "-1e308", "1e999", "nan", "-0", "0x10", "1_000", "٣", "%00", "\0", "'", '"', "<script>", ",,,",
    "a" * 3000, "../../etc/passwd", "\r\nx: y", "\N{REPLACEMENT CHARACTER}", "null", "true", "[]", "{}", "1,2", " 1 ",
))  # fmt: skip
HEADERS = st.dictionaries(
    st.sampled_from(("accept", "accept-encoding", "if-none-match", "range", "if-modified-since")),
    st.sampled_from(("*", "*/*", "text/html", "gzip", 'W/"x"', "bytes=0-5", "gzip;q=0", "identity;q=0, *;q=0", "")),
    max_size=2,
)


@pytest.fixture(scope="module")
def http(running: Agent) -> Any:
    with httpx.Client(base_url=f"http://{running.address}", timeout=60) as found:
        yield found


@pytest.fixture(scope="module")
def document(http: httpx.Client) -> Any:
    """As the agent serves it."""
    return http.get("/api/v1/openapi.json").json()


def good(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    """Values that the schema of a parameter allows."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "array":
        return st.lists(good(schema["items"]), max_size=3).map(",".join)
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], schema["maximum"]).map(str)
    if schema["type"] == "number" and "minimum" in schema:
        return st.floats(schema["minimum"], schema["maximum"]).map(repr)
    if schema["type"] == "number":
        return (st.floats(-1e6, 0) | st.floats(0, 2e9) | st.floats(allow_nan=False, allow_infinity=False)).map(repr)
    return st.sampled_from(("GPU-fake-0", "fake-cpu-0", "nobody")) | st.text("abcé \0", min_size=1, max_size=5)


def queries(parameters: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, str]]:
    """Some parameters, most of them as they should be."""
    values = {one["name"]: good(one["schema"]) | HOSTILE for one in parameters}
    known = st.fixed_dictionaries({}, optional=values)
    none: st.SearchStrategy[dict[str, str]] = st.just({})
    extra = none | none | st.dictionaries(st.text(max_size=8), HOSTILE, max_size=1)
    return st.builds(lambda one, other: {**one, **other}, known, extra)


def test_all_answers_are_as_documented(http: httpx.Client, document: dict[str, Any]) -> None:
    checks = {
        (path, status): validator(document, path, status)
        for path, operations in document["paths"].items()
        for status, response in operations["get"]["responses"].items()
        if "content" in response
    }
    asked = st.sampled_from(sorted(document["paths"])).flatmap(
        lambda path: st.tuples(st.just(path), queries(document["paths"][path]["get"].get("parameters", [])), HEADERS)
    )
    seen: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    @given(asked, st.sampled_from(("GET", "GET", "GET", "HEAD")))
    def ask(question: tuple[str, dict[str, str], dict[str, str]], method: str) -> None:
        path, query, headers = question
        answer = http.request(method, f"{path}?{urlencode(query, errors='replace')}", headers=headers)
        status = str(answer.status_code)
        seen[status] += 1
        assert status in document["paths"][path]["get"]["responses"], (status, answer.text)
        assert answer.headers["x-content-type-options"] == "nosniff"
        if status != "304" and method == "GET":
            assert answer.headers["content-type"] == "application/json"
            checks[path, status].validate(json.loads(answer.content, parse_constant=pytest.fail))

    ask()
    assert min(seen["200"], seen["400"]) > EXAMPLES / 10, seen


def test_what_it_knows_is_not_sent_again(http: httpx.Client, document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        if "304" in operations["get"]["responses"]:
            for _ in range(20):
                tag = http.get(path).headers["etag"]
                again = http.get(path, headers={"if-none-match": tag})
                if again.status_code == 304:
                    break
            assert (again.status_code, again.content) == (304, b""), path


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_it_is_for_reading_only(http: httpx.Client, method: str) -> None:
    assert http.request(method, "/api/v1/snapshot").status_code == 405


def test_sums_of_a_real_agent(http: httpx.Client) -> None:
    document = http.get("/api/v1/processes").json()
    rows = document["processes"] + document["accounts"]
    assert sum(round(row["energy_j"] * 1e6) for row in rows) == round(document["total_j"] * 1e6) > 0


def test_increments_of_a_real_agent_are_the_whole(http: httpx.Client) -> None:
    told, after = [], 0.0
    for _ in range(25):
        power = http.get("/api/v1/live", params={"after": after, "include": ""}).json()["power"]
        told += power["at_unix_s"]
        after = power["next"]
    whole = http.get("/api/v1/power").json()["at_unix_s"]
    assert told == whole[: len(told)]
    assert len(whole) - len(told) <= 5
