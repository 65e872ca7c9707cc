"""A sink that cannot be made is a mistake in the settings, in one line with its place."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from aipower.daemon.sinks.load import find_sink_mistakes, make_sinks
from aipower.errors import UsageError
from aipower.settings.sinks import SinkSettings
from aipower.sinks import GROUP, is_secret
from aipower_exporters.sinks.jsonl import JsonLinesSink

CODE = """
closed = []

class Sink:
    def __init__(self, name):
        self.name = name
    def push(self, snapshot):
        pass
    def close(self):
        closed.append(self.name)

def good(options, name):
    return Sink(name)

def picky(options, name):
    from aipower.errors import UsageError
    raise UsageError(f"{next(iter(options), 'path')}: expected\\nsomething else")

def buggy(options, name):
    raise KeyError("oops")
"""


@pytest.fixture(autouse=True)
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of others."""
    (tmp_path / "foreign_sinks.py").write_text(CODE)
    (tmp_path / "foreign_broken.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("foreign_sinks", "foreign_broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def points() -> Iterable[EntryPoint]:
    targets = {
        "good": "foreign_sinks:good",
        "picky": "foreign_sinks:picky",
        "buggy": "foreign_sinks:buggy",
        "missing": "foreign_sinks:missing",
        "broken": "foreign_broken:sink",
        "jsonl": "aipower_exporters.sinks.jsonl:jsonl",
    }
    yield from (EntryPoint(name, target, GROUP) for name, target in targets.items())
    yield EntryPoint("good", "foreign_sinks:good", GROUP)  # an editable install may be seen twice
    yield EntryPoint("twice", "foreign_sinks:good", GROUP)
    yield EntryPoint("twice", "foreign_sinks:picky", GROUP)


def settings(kind: str, **options: object) -> SinkSettings:
    places = {"kind": "F:2", **dict.fromkeys(options, "F:3")}
    return SinkSettings("mine", kind, 15.0, options, lambda key: places.get(key, "F:1"))


def test_sinks_are_made_by_the_factory_of_their_kind(tmp_path: Path) -> None:
    ways = make_sinks([settings("jsonl", path=str(tmp_path / "a.jsonl"))], points)
    assert isinstance(ways["mine"].sink, JsonLinesSink)
    assert ways["mine"].interval_s == 15.0
    assert not (tmp_path / "a.jsonl").exists()


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (settings("goood"), "F:2: sink mine: unknown kind 'goood'; did you mean \"good\"?"),
        (
            settings("xyz"),
            (
                "F:2: sink mine: unknown kind 'xyz'; the kinds that are installed are "
                "broken, buggy, good, jsonl, missing, picky, twice"
            ),
        ),
        (settings("missing"), "F:2: sink mine: kind missing does not load: AttributeError("),
        (settings("broken"), "F:2: sink mine: kind broken does not load: ModuleNotFoundError("),
        (settings("buggy"), "F:1: sink mine: cannot be made: KeyError('oops')"),
        (settings("picky", place="x"), "F:3: sink mine: place: expected something else"),
        (settings("picky"), "F:1: sink mine: path: expected something else"),
        (
            settings("twice"),
            (
                "F:2: sink mine: several packages offer this kind: foreign_sinks:good, foreign_sinks:picky; "
                "remove all but one"
            ),
        ),
    ],
)
def test_what_cannot_be_made_is_one_line_with_its_place(wanted: SinkSettings, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_sinks([wanted], points)
    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_without_any_kind_that_is_said() -> None:
    with pytest.raises(UsageError, match="none is installed"):
        make_sinks([settings("jsonl")], lambda: ())


def test_all_mistakes_are_found_and_what_was_made_is_closed() -> None:
    good = SinkSettings("ok", "good")
    found = find_sink_mistakes([good, settings("missing"), settings("buggy")], points)
    assert [line.partition(": ")[0] for line in found] == ["F:2", "F:1"]
    with pytest.raises(UsageError):
        make_sinks([good, settings("buggy")], points)
    from foreign_sinks import closed  # type: ignore[import-not-found]  # noqa: PLC0415  # the test's own module

    assert closed == ["ok", "ok"]


def test_without_sinks_no_package_is_looked_at() -> None:
    def never() -> Iterable[EntryPoint]:
        raise AssertionError

    assert make_sinks([], never) == {}


@pytest.mark.parametrize("key", ["password", "token", "api_token", "client_secret", "headers", "Authorization"])
def test_secrets_are_known_by_their_keys(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize("key", ["password_file", "token_file", "url", "path", "username"])
def test_what_is_no_secret_is_shown(key: str) -> None:
    assert not is_secret(key)
