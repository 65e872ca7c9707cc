"""Who may see sites: names that a stranger's page makes up, and records of the agent's own user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from aipower.daemon.health import Health
from aipower.daemon.serving.http import HttpService, make_app
from aipower.daemon.sites.guests import Guests
from aipower.site.resource import Answer, Question, Resource
from aipower.web.access import Access
from exporters.snapshots import node

OPEN, LOCKED = Access(), Access(users={"ada": b"hash"})
NODE = os.uname().nodename


def guests(host: str = "127.0.0.1", access: Access = OPEN, *, own_records: bool = True) -> Guests:
    return Guests(host, lambda: access, own_records=own_records)


@pytest.mark.parametrize(
    "name",
    ["localhost", "LOCALHOST:9877", "localhost.", "127.0.0.1:9877", "127.0.0.1", "[::1]:9877", "[::1]", "10.0.0.7",
     "app.localhost:80"],
)  # fmt: skip
def test_people_on_this_machine_write_an_address_or_localhost(name: str) -> None:
    assert not guests().misled(name)
    assert not guests("localhost").misled(name)


def test_the_machine_knows_its_own_name() -> None:
    assert not guests().misled(f"{NODE}:9877")


@pytest.mark.parametrize("name", ["evil.example", "evil.example:9877", "localhost.evil.example", "", "127.0.0.1.evil"])
def test_a_strangers_name_for_this_machine_is_not_served(name: str) -> None:
    assert guests().misled(name)
    assert guests("::1").misled(name)
    assert not guests("0.0.0.0").misled(name)  # noqa: S104 - nobody is kept out by the address
    assert not guests(access=LOCKED).misled(name)


def test_records_are_for_the_agents_own_user() -> None:
    nobody = ("127.0.0.1", 1), ("127.0.0.1", 2)
    assert not guests().may_see_private(*nobody)
    assert guests(access=LOCKED).may_see_private(*nobody)
    assert guests(own_records=False).may_see_private(*nobody)


def page(_question: Question) -> Answer:
    return Answer(b"page", "text/plain")


RESOURCES = (Resource("/open", page), Resource("/private", page, private=True))


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Of a service on loopback that asks for no password."""
    with ExitStack() as stack:
        app = make_app(node, [], lambda: Health(ok=True), sites=RESOURCES, guests=guests())
        service = stack.enter_context(HttpService(app, "127.0.0.1", 0))
        yield stack.enter_context(httpx.Client(base_url=f"http://{service.address}", timeout=60))


def test_a_name_made_up_is_refused_in_a_line_with_the_remedy(client: httpx.Client) -> None:
    answer = client.get("/open", headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert answer.text.startswith("421 Misdirected Request: ")
    assert "web_config" in answer.text
    assert client.get("/open").text == "page"
    assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 200


def test_the_kernel_says_whose_connection_it_is(client: httpx.Client) -> None:
    assert client.get("/private").text == "page"


def test_another_users_connection_is_refused() -> None:
    class Others(Guests):
        """As if the agent's user were another."""

        def may_see_private(self, caller: tuple[str, int], here: tuple[str, int]) -> bool:
            assert caller[1] != here[1]
            return False

    app = make_app(
        node, [], lambda: Health(ok=True), sites=RESOURCES, guests=Others("127.0.0.1", lambda: OPEN, own_records=True)
    )
    with HttpService(app, "127.0.0.1", 0) as service:
        answer = httpx.get(f"http://{service.address}/private", timeout=60)
        assert answer.status_code == 403
        assert "run_records" in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert httpx.get(f"http://{service.address}/open", timeout=60).status_code == 200
