from __future__ import annotations

import argparse
import json
from collections.abc import Callable

import pytest

from aipower.arguments import Parser
from aipower.compare.cli import add_arguments, main
from aipower.errors import AipowerError, UsageError
from compare.records import Kept, device, gpu_runs, record

BASE = (700.0, 703.0, 698.0, 701.0, 699.0)
STORE = Kept(
    *gpu_runs("base", BASE),
    *gpu_runs("fast", [0.9 * energy_j for energy_j in BASE], start_s=1000),
    *gpu_runs("slow", [1.2 * energy_j for energy_j in BASE], start_s=2000),
    *[record([device("gpu", 500.0 + n)], run_id=f"sim-{n}", name="simulated", simulated=True) for n in range(3)],
)


def parsed(*words: str) -> argparse.Namespace:
    parser = Parser("aipower compare")
    add_arguments(parser)
    return parser.parse_args(words)


def test_the_report_is_printed_and_the_exit_code_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(parsed("base", "slow"), STORE) == 0
    printed = capsys.readouterr().out
    assert "slow uses more energy than base: +20.0" in printed


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(parsed("--json", "base", "fast", "slow"), STORE) == 0
    found = json.loads(capsys.readouterr().out)
    assert next(iter(found)) == "schema"
    assert found["schema"] == "aipower.compare/1"
    assert [pair["verdict"] for pair in found["pairs"]] == ["less", "more"]
    assert found["pairs"][0]["headline"]["interval_percent"][1] < 0
    assert found["pairs"][0]["other"]["run_ids"] == [f"fast-{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("base", "slow", "--fail-if-more", "5"), 1),
        (("base", "slow", "--fail-if-more", "5%"), 1),
        (("base", "slow", "--fail-if-more", "30"), 0),
        (("base", "fast", "--fail-if-more", "0"), 0),
    ],
)
def test_a_gate_for_tests(words: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(parsed(*words), STORE) == code
    assert bool(capsys.readouterr().err) == bool(code)


def test_a_gate_that_cannot_judge_does_not_pass() -> None:
    with pytest.raises(UsageError, match="two runs or more"):
        main(parsed("base-0", "slow-0", "--fail-if-more", "5"), STORE)
    with pytest.raises(AipowerError, match="simulated"):
        main(parsed("base", "simulated", "--fail-if-more", "5"), STORE)


def test_words_with_commas_are_one_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(parsed("--json", "base-0,base-1", "slow-0,slow-1,slow"), STORE) == 0
    found = json.loads(capsys.readouterr().out)
    assert [found["baseline"]["runs"], found["pairs"][0]["other"]["runs"]] == [2, 5]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("base",), "two runs or more"),
        (("base", "base-0"), "is in both 'base' and 'base-0'"),
        (("base", "nothing"), "no run 'nothing' is kept"),
        (("base", "nothing,else"), "no run 'nothing' is kept"),
        (("base", "fast", "--per", "tokens"), "not all runs say how many tokens"),
        (("base", "fast", "--higher", "x", "--lower", "x"), "both --higher and --lower"),
        (("base", "fast", "--higher", "acuracy"), "no run has such a figure; measure with"),
    ],
)
def test_mistakes(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        main(parsed(*words), STORE)


@pytest.mark.parametrize("text", ["x", "-1", "100", "nan", ""])
def test_a_percentage_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="percentage"):
        parsed("a", "b", f"--at-least={text}")


def test_the_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser("aipower compare")
    add_arguments(parser)
    show: Callable[[], None] = parser.print_help
    show()
    printed = capsys.readouterr().out
    for option in ("--at-least", "--per", "--higher", "--lower", "--fail-if-more", "--json", "--of"):
        assert option in printed
