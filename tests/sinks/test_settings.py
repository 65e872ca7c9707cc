"""The tables `[sinks.NAME]`: what they may be, and the line of each mistake."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.settings.file import Document, read_document
from aipower.settings.sinks import MAX_SINKS, OWN_KEYS, Sinks, SinkSettings, describe_sinks, read_sinks
from aipower.sinks import is_secret
from sinks.plugins import OURS, ROOT


def read(folder: Path, text: str) -> Sinks:
    path = folder / "a.toml"
    path.write_text(text)
    return read_sinks(read_document(path))


def test_a_file_without_sinks_has_none(tmp_path: Path) -> None:
    assert read(tmp_path, "interval_s = 1\n") == Sinks()


def test_a_table_is_a_sink_of_the_kind_of_its_name(tmp_path: Path) -> None:
    found = read(tmp_path, '[sinks.jsonl]\npath = "/x"\n[sinks.second]\nkind = "jsonl"\ninterval_s = 60\nkeep = 3\n')
    assert found == Sinks(
        (
            SinkSettings("jsonl", "jsonl", 15.0, {"path": "/x"}),
            SinkSettings("second", "jsonl", 60.0, {"keep": 3}),
        )
    )


def test_each_key_has_its_place(tmp_path: Path) -> None:
    text = 'interval_s = 1\n\n[sinks.a]\n# path = "/no"\npath = "/x"\n"keep"=3\n\n[ sinks . "b" ]\npath = "/y"\n'
    one, two = read(tmp_path, text + "[sinks.b.headers]\nx = 'y'\n").found
    file = tmp_path / "a.toml"
    assert [one.place(key) for key in ("path", "keep", "", "other")] == [f"{file}:{line}" for line in (5, 6, 3, 3)]
    assert [two.place(key) for key in ("path", "headers", "")] == [f"{file}:{line}" for line in (9, 10, 8)]


def test_a_key_within_a_text_or_another_table_is_not_taken_for_it(tmp_path: Path) -> None:
    text = (
        '[sinks.a]\ntext = """\n[sinks.b]\npath = 1\n"""\nkeep = 1\n[sinks.b]\nkind = "x"\n\n[sinks.c]\npath = "/"\n'
    )
    a, b, c = read(tmp_path, text).found
    file = tmp_path / "a.toml"
    assert (a.place("keep"), b.place(""), c.place("path")) == (f"{file}:6", f"{file}:7", f"{file}:11")
    assert b.place("path") == f"{file}:7"


def test_what_is_written_in_an_unusual_way_has_the_place_of_the_file(tmp_path: Path) -> None:
    (found,) = read(tmp_path, 'sinks = { a = { path = "/x" } }\n').found
    assert found.place("path") == f"{tmp_path / 'a.toml'}:1"


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("sinks = 1", [":1: sinks: expected tables, as in [sinks.jsonl]"]),
        ("[sinks]\njsonl = 1", [":1: sinks.jsonl: expected a table, as in [sinks.jsonl]"]),
        ("[[sinks.jsonl]]\n", [":1: sinks.jsonl: expected a table, as in [sinks.jsonl]"]),
        ('\n[sinks."a b"]', [":2: sinks: expected a name of letters, digits, - and _, at most 40 of them"]),
        ("[sinks.a]\n\nkind = 1", [":3: kind: expected the name of a kind of sink"]),
        ('[sinks.a]\nkind = ""', [":2: kind: expected the name of a kind of sink"]),
        ("[sinks.a]\ninterval_s = 0.5", [":2: interval_s: expected seconds from 1 to 3600"]),
        ("[sinks.a]\ninterval_s = nan", [":2: interval_s: expected seconds from 1 to 3600"]),
        ("[sinks.a]\ninterval_s = true", [":2: interval_s: expected seconds from 1 to 3600"]),
        ('[sinks.a]\ninterval_s = "5"', [":2: interval_s: expected seconds from 1 to 3600"]),
        (
            "[sinks.a]\nkind = 1\ninterval_s = 0\n[sinks.b]\ninterval_s = 1e9",
            [
                ":2: kind: expected the name of a kind of sink",
                ":3: interval_s: expected seconds from 1 to 3600",
                ":5: interval_s: expected seconds from 1 to 3600",
            ],
        ),
    ],
)
def test_mistakes_are_told_with_their_lines(tmp_path: Path, text: str, mistakes: list[str]) -> None:
    found = read(tmp_path, text)
    assert [mistake.removeprefix(str(tmp_path / "a.toml")) for mistake in found.mistakes] == mistakes
    assert found.found == ()


def test_there_are_not_more_sinks_than_threads_to_spare(tmp_path: Path) -> None:
    text = "".join(f"[sinks.s{number}]\n" for number in range(MAX_SINKS + 1))
    assert read(tmp_path, text).mistakes == (f"{tmp_path / 'a.toml'}:1: 17 sinks: expected at most 16",)


def test_the_shipped_file_shows_a_table_of_each_kind(tmp_path: Path) -> None:
    """They are comments: its sinks are read once the marks before them are removed."""
    shipped = (ROOT / "config" / "aipower.toml").read_text()
    assert read(tmp_path, shipped) == Sinks()
    examples = re.sub(r"(?m)^#(?=\[sinks\.|  )", "", shipped)
    found = read(tmp_path, examples)
    assert found.mistakes == ()
    assert {sink.kind for sink in found.found} == {*OURS, "otlp", "remote_write"}
    assert all(sink.options for sink in found.found)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = WORDS.filter(lambda key: not is_secret(key))
PLAIN = WORDS | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.booleans() | st.dates()
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
OPTIONS = st.dictionaries(KEYS.filter(lambda key: key not in OWN_KEYS), VALUES, max_size=4)
NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)


@settings(max_examples=30)
@given(st.dictionaries(NAMES, st.tuples(st.floats(1.0, 3600.0), OPTIONS), max_size=3))
def test_what_is_described_is_read_back_the_same(wanted: dict[str, tuple[float, dict[str, object]]]) -> None:
    sinks = tuple(SinkSettings(name, "kind", *rest) for name, rest in wanted.items())
    shown = describe_sinks(sinks)
    assert read_sinks(Document(Path("F"), shown, tomllib.loads(shown))) == Sinks(sinks)


@given(st.text("abis_=.1\"'[]#\n \t{}", max_size=40))
def test_any_table_is_read_or_refused_in_one_line(text: str) -> None:
    whole = f"[sinks.{text}"
    try:
        keys = tomllib.loads(whole)
    except ValueError:
        return
    found = read_sinks(Document(Path("F"), whole, keys))
    assert all(mistake.startswith("F") and "\n" not in mistake for mistake in found.mistakes)
    assert bool(found.found) or bool(found.mistakes)


def test_a_large_table_is_read_at_once(tmp_path: Path) -> None:
    """Where each key is written is only looked for once it is needed: it takes a reading of all that is before it."""
    keys = "".join(f"key_{number} = 1\n" for number in range(4000))
    (found,) = read(tmp_path, f"[sinks.a]\n{keys}").found
    assert found.place("key_3999") == f"{tmp_path / 'a.toml'}:4001"
