"""Our options: one table, two readers that never differ, and what the values mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import UsageError
from aipower.run.options import SWITCHES, VALUED, _by_argparse, _quick, make_parser, parse

NAMES = [name for names, _ in SWITCHES for name in names] + [name for names, *_ in VALUED for name in names]
VALUES = {"--metric": "a=0.5", "--per": "b=2"}
ODD = [
    "-",
    "--",
    "-qv",
    "-vq",
    "-q=x",
    "--quiet=x",
    "--js",
    "--jsonn",
    "--json=",
    "--name=a=b",
    "--name=-x",
    "-5",
    "-a b",
    "",
]
WORDS = st.lists(
    st.sampled_from(
        [*NAMES, *(f"{name}=0.5" for name in NAMES), *ODD, "0.5", "nan", "1e3", "soon", "x y", "é", "\udcff"]
    ),
    max_size=6,
)


def test_every_option_of_the_table_is_the_parsers_and_no_other() -> None:
    known = {option for action in make_parser()._actions for option in action.option_strings}
    assert known == {*NAMES, "-h", "--help"}


@pytest.mark.parametrize("name", NAMES)
def test_every_option_of_the_table_is_read_quickly(name: str) -> None:
    valued = name in {name for names, *_ in VALUED for name in names}
    words = [name, VALUES.get(name, "1")] if valued else [name]
    found = _quick([*words, "true"])
    assert found == _by_argparse([*words, "true"], "aipower-run")
    assert found is not None
    assert (len(found[0]), found[1]) == (1, ["true"])


@given(WORDS)
def test_what_is_read_quickly_is_what_argparse_reads(words: list[str]) -> None:
    found = _quick(words)
    if found is not None:
        settings, command = _by_argparse(words, "aipower-run")
        assert (repr(found[0]), found[1]) == (repr({name: settings[name] for name in found[0]}), command)
        assert found[0].keys() == settings.keys()


@given(WORDS, WORDS)
def test_the_command_is_never_read(words: list[str], command: list[str]) -> None:
    assert _quick(["--", *words]) == ({}, words)
    assert _quick(["-q", "true", *command]) == ({"quiet": True}, ["true", *command])


@pytest.mark.parametrize(
    "words", [["--help"], ["-qv", "true"], ["--name=-x", "true"], ["--js", "x"], ["--json"], ["--name", "-x"]]
)
def test_help_mistakes_and_odd_words_are_left_to_argparse(words: list[str]) -> None:
    assert _quick(words) is None


def test_defaults() -> None:
    options = parse(["true", "-q"])
    assert (options.command, options.json, options.name, options.quiet) == (["true", "-q"], None, "", False)
    assert (options.verbose, options.interval_s, options.sensors, options.wait_all) == (False, 0.1, "auto", False)
    assert options.agent


def test_all_that_can_be_asked_for() -> None:
    options = parse(
        ["-q", "--verbose", "--json", "a b", "--name=n=1", "--interval", "2", "--sensors=rapl", "--wait", "--", "--x"]
    )
    assert (options.command, options.json, options.name, options.quiet) == (["--x"], "a b", "n=1", True)
    assert (options.verbose, options.interval_s, options.sensors, options.wait_all) == (True, 2.0, "rapl", True)


@pytest.mark.parametrize("words", [["--no-agent"], ["--interval", "1"], ["--interval=0.1"], ["--sensors", "auto"]])
def test_what_the_agent_cannot_do_is_not_asked_of_it(words: list[str]) -> None:
    assert not parse([*words, "true"]).agent


def test_joined_switches_and_the_last_value_count() -> None:
    options = parse(["-qv", "--name", "a", "--name=-b", "true"])
    assert (options.quiet, options.verbose, options.name) == (True, True, "-b")


@pytest.mark.parametrize("path", ["-", "./-", "/dev/stdout", "/dev//stdout", "/dev/./fd/1"])
def test_the_record_is_never_written_to_standard_output(path: str) -> None:
    with pytest.raises(UsageError, match="standard output belongs to the command"):
        parse(["--json", path, "true"])
