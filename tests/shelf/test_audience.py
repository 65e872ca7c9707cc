"""To whom records are shown by themselves."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import UsageError
from aipower.shelf.audience import allowed, asks_who, is_loopback, is_person, why_hidden
from aipower.shelf.opening import GatedShelf, NoShelf, open_shelf
from aipower.web.access import Access
from store.records import record, store_of

LOOPBACK = ("127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST.", "::1", "[::1]", "::ffff:127.0.0.1")
ALL = "0.0.0.0"  # noqa: S104 - nothing listens here
OPEN = (
    ALL,
    "::",
    "192.0.2.7",
    "node1",
    "localhost.example",
    "127.0.0.1.example",
    "",
    "2130706433",
    "::ffff:192.0.2.7",
)
SERVICES = (0, 1, 33, 999, 61184, 65519, 65534, 65535)
PEOPLE = (1000, 1001, 60000, 65536, 1_234_567)


@pytest.mark.parametrize("host", LOOPBACK)
def test_a_person_on_loopback_sees_their_runs(host: str) -> None:
    assert is_loopback(host)
    assert allowed(1000, host, asks=False)
    assert why_hidden(1000, host, asks=False) == ""


@pytest.mark.parametrize("host", OPEN)
def test_the_network_sees_them_only_with_a_password(host: str) -> None:
    assert not is_loopback(host)
    assert not allowed(1000, host, asks=False)
    assert allowed(1000, host, asks=True)


@pytest.mark.parametrize("uid", SERVICES)
@pytest.mark.parametrize("asks", [False, True])
def test_services_show_nothing(uid: int, asks: bool) -> None:
    assert not is_person(uid)
    assert not allowed(uid, "127.0.0.1", asks=asks)


@pytest.mark.parametrize("uid", PEOPLE)
def test_people_are_people(uid: int) -> None:
    assert allowed(uid, "::1", asks=False)


@given(st.integers(0, 2**32 - 1), st.text(max_size=20) | st.sampled_from(LOOPBACK + OPEN), st.booleans())
def test_a_refusal_is_one_line_with_the_remedy(uid: int, host: str, asks: bool) -> None:
    why = why_hidden(uid, host, asks=asks)
    assert bool(why) != allowed(uid, host, asks=asks)
    assert not why or ("run_records" in why and "\n" not in why.replace(host, ""))


def test_who_asks() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert not asks_who(Access())
    assert not asks_who(Access(context))
    assert asks_who(Access(users={"a": b"hash"}))
    context.verify_mode = ssl.CERT_OPTIONAL
    assert not asks_who(Access(context))
    context.verify_mode = ssl.CERT_REQUIRED
    assert asks_who(Access(context))


# --- the setting ---


@pytest.mark.parametrize("word", ["runs", "", "./runs", "~/runs", "Auto", "x" * 5000])
def test_a_relative_path_is_a_mistake(word: str) -> None:
    with pytest.raises(UsageError, match="run_records") as caught:
        open_shelf(word, {})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_none_shows_nothing(tmp_path: Path) -> None:
    store_of(tmp_path, [record()])
    shelf = open_shelf("none", {"AIPOWER_RUNS_DIR": str(tmp_path)})
    assert isinstance(shelf, NoShelf)
    assert (list(shelf.runs()), shelf.record(record().run_id)) == ([], None)


def test_a_path_shows_what_is_there(tmp_path: Path) -> None:
    store_of(tmp_path, [record()])
    shelf = open_shelf(str(tmp_path), {})
    assert [run.run_id for run in shelf.runs()] == [record().run_id]


@pytest.mark.parametrize("variable", ["AIPOWER_RUNS_DIR", "XDG_DATA_HOME", "HOME"])
def test_auto_is_the_users_own_store(tmp_path: Path, variable: str) -> None:
    below = {"AIPOWER_RUNS_DIR": "", "XDG_DATA_HOME": "aipower/runs", "HOME": ".local/share/aipower/runs"}[variable]
    store_of(tmp_path / below, [record()])
    shelf = open_shelf("auto", {variable: str(tmp_path)})
    assert shelf.record(record().run_id) == record()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_auto_shows_our_own_records_only(tmp_path: Path) -> None:
    path = store_of(tmp_path, [record(1), record(2)]).path_of(record(2).run_id)
    os.chown(path, 1234, 1234)
    shelf = open_shelf("auto", {"AIPOWER_RUNS_DIR": str(tmp_path)})
    assert [run.run_id for run in shelf.runs()] == [record(1).run_id]
    assert len(open_shelf(str(tmp_path), {}).runs()) == 2


def test_a_gate_opens_and_closes_while_the_agent_runs(tmp_path: Path) -> None:
    store_of(tmp_path, [record()])
    why = [""]
    shelf = GatedShelf(open_shelf(str(tmp_path), {}), lambda: why[0])
    assert shelf.hidden() == ""
    assert len(shelf.runs()) == 1
    assert shelf.record(record().run_id) is not None
    why[0] = "strangers"
    assert (list(shelf.runs()), shelf.record(record().run_id), shelf.hidden()) == ([], None, "strangers")
