"""Whatever an engine, a proxy or the network does is one line with the remedy."""

from __future__ import annotations

import base64
import gzip
import json
import socket
from pathlib import Path

import pytest

from aipower.fleet.access import Access, Credentials, access_of
from aipower.fleet.answers import Series
from aipower.fleet.client import Client
from aipower.fleet.selectors import any_of
from aipower.fleet.troubles import EngineError
from fleet_report.liar import Reply, failure, liar, success
from fleet_report.user import User

PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"
ANSWERS = {
    "login": (Reply(200, PAGE, "text/html; charset=utf-8"), "answers with a web page (200), as a login does"),
    "login-unmarked": (Reply(200, PAGE, "application/octet-stream"), "answers with a web page"),
    "401": (Reply(401, b"Unauthorized", "text/plain"), "lets nobody in without the right credentials (401"),
    "403": (Reply(403, PAGE, "text/html"), "lets nobody in without the right credentials (403)"),
    "mimir": (Reply(401, b"no org id", "text/plain"), "no org id); name the tenant: --header 'X-Scope-OrgID: TENANT'"),
    "404": (Reply(404, b"404 page not found", "text/plain"), "has no Prometheus API (404); Mimir's is at /prometheus"),
    "422": (
        failure(422, "query processing would load too many samples into memory in query execution"),
        "would load too many samples into memory in query execution); ask for less",
    ),
    "timeout": (failure(503, "query timed out in expression evaluation"), "or allow more by --timeout"),
    "parse": (
        failure(400, 'invalid parameter "query": 1:2: parse error\nsecond line'),
        "1:2: parse error second line)",
    ),
    "429": (
        Reply(429, b"too many outstanding requests", "text/plain"),
        "is asked too much (429: too many outstanding",
    ),
    "500": (Reply(500, b"", "text/plain"), "refuses the query (500)"),
    "502": (Reply(502, b"<html>bad gateway</html>", "text/html"), "answers with a web page (502)"),
    "moved": (
        Reply(302, b"", headers={"Location": "https://login.example/?next=1"}),
        "sends on to https://login.example/?next=1; name the address of the API itself",
    ),
    "no-json": (Reply(200, b"{}}", "application/json"), "does not answer as Prometheus does: no JSON"),
    "no-success": (Reply(200, b'{"status": "error", "error": "odd"}'), "does not answer as Prometheus does: odd"),
    "scalar": (
        Reply(200, b'{"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}}'),
        "neither a vector nor a matrix",
    ),
    "rubbish": (success([{"metric": {}, "value": [1]}]), "series that are none"),
    "cut": (Reply(200, b'{"status"', promised=1000), "broke off"),
    "bad-gzip": (Reply(200, b"\x1f\x8b rubbish", headers={"Content-Encoding": "gzip"}), "cannot be unpacked"),
    "half-gzip": (
        Reply(200, gzip.compress(b"x" * 1000)[:-9], headers={"Content-Encoding": "gzip"}),
        "cannot be unpacked",
    ),
}


@pytest.mark.parametrize("name", list(ANSWERS))
def test_an_answer_that_is_none(user: User, name: str) -> None:
    reply, told = ANSWERS[name]
    with liar(reply) as server:
        done = user.mistake(server.url, "--job", "1")
        assert done.code == 1
        assert told in done.err
        assert server.url in done.err


def test_nobody_is_there(user: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    told = user.mistake(f"http://127.0.0.1:{port}", "--job", "1").err
    assert "cannot be reached: Connection refused; is the address right, and the server up?" in told


def test_a_host_that_nobody_knows(user: User) -> None:
    assert "nowhere.invalid cannot be reached: " in user.mistake("http://nowhere.invalid", "--job", "1").err


def test_no_answer_in_time(user: User) -> None:
    with liar(Reply(waits=True)) as server:
        told = user.mistake(server.url, "--job", "1", "--timeout", "0.2").err
        assert "no answer within 0.2 s; ask for less (a later --since), or allow more by --timeout" in told


def test_no_tls(user: User) -> None:
    with liar(success([])) as server:
        told = user.mistake(server.url.replace("http:", "https:"), "--job", "1").err
        assert "no TLS can be spoken with it" in told


def test_no_secret_is_told(user: User) -> None:
    with liar(Reply(401)) as server:
        told = user.mistake(server.url.replace("//", "//me:hush@"), "--job", "1").err
        assert "hush" not in told
        assert base64.b64decode(server.asked[0].headers["authorization"].split()[1]) == b"me:hush"


def test_credentials_do_not_follow(user: User, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("sesame\n")
    with liar(success([])) as other, liar(Reply(307, headers={"Location": f"{other.url}/x"})) as server:
        user.mistake(server.url, "--job", "1", "--bearer-file", str(tmp_path / "token"))
        assert server.asked[0].headers["authorization"] == "Bearer sesame"
        assert other.asked == []


def client_of(url: str, *headers: str) -> Client:
    return Client(access_of(url, Credentials(headers), {}))


def test_headers_and_the_path_are_as_told() -> None:
    with liar(success([])) as server:
        client_of(f"{server.url}/select/0/prometheus/", "X-Scope-OrgID: a|b").instant("up", 1.5)
        (asked,) = server.asked
        assert asked.path == "/select/0/prometheus/api/v1/query"
        assert asked.headers["x-scope-orgid"] == "a|b"
        assert (asked.method, asked.fields["query"], asked.fields["time"]) == ("GET", ["up"], ["1.500"])


def test_long_queries_are_posted() -> None:
    query = f"up{{{any_of('instance', (f'node-{number}' for number in range(500)))}}}"
    with liar(success([])) as server:
        client_of(server.url).grid(query, 0, 60, 15)
        (asked,) = server.asked
        assert (asked.method, asked.fields["query"], asked.fields["step"]) == ("POST", [query], ["15.000"])


def test_a_packed_answer() -> None:
    reply = success(
        [{"metric": {"__name__": "up", "a": "b"}, "value": [1.5, "2"]}, {"metric": {}, "value": [1, "NaN"]}]
    )
    packed = Reply(200, gzip.compress(reply.body), headers={"Content-Encoding": "gzip"})
    with liar(packed) as server:
        assert client_of(server.url).instant("up", 1) == [Series({"a": "b"}, [(1.5, 2.0)])]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"warnings": ["store 10.0.0.1 is down", "store 10.0.0.1 is down"]}, "store 10.0.0.1 is down"),
        ({"isPartial": True}, "some of its storage nodes did not answer"),
    ],
)
def test_warnings_are_kept(more: dict[str, object], told: str) -> None:
    with liar(success([], **more)) as server:
        client = client_of(server.url)
        client.instant("up", 1)
        client.instant("up", 2)
        assert len(client.warnings) == 1
        assert told in client.warnings[0]


def test_a_partial_answer_is_a_fault_of_the_report(user: User) -> None:
    with liar(success([], warnings=["store x is down"])) as server:
        told = user.summary(server.url, "--since", "2h")
        assert [(fault["reason"], fault["detail"]) for fault in told["faults"]] == [
            ("partial_response", "store x is down")
        ]
        assert not told["complete"]
        assert "store x is down" in user.call(server.url, "--since", "2h").out


def test_too_much_is_refused() -> None:
    bomb = gzip.compress(json.dumps([0] * 10_000).encode())
    for reply in (Reply(200, b" " * 200), Reply(200, bomb, headers={"Content-Encoding": "gzip"})):
        with liar(reply) as server, pytest.raises(EngineError, match="ask for less"):
            Client(Access(server.url, most_bytes=150)).instant("up", 1)
