"""The command `aipower equiv`."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aipower.arguments import Parser
from aipower.errors import UsageError
from aipower.footprint.cli import add_arguments, main


def equiv(*words: str, config: str = "", tmp_path: Path | None = None) -> str:
    parser = Parser(prog="aipower equiv")
    add_arguments(parser)
    environ = {"AIPOWER_USER_CONFIG": "none"}
    if tmp_path is not None:
        file = tmp_path / "user.toml"
        file.write_text(config, encoding="utf-8")
        environ["AIPOWER_USER_CONFIG"] = str(file)
    stdout = io.StringIO()
    assert main(parser.parse_args(words), stdout=stdout, environ=environ, home="/nonexistent") == 0
    return stdout.getvalue()


def as_json(*words: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(equiv(*words, "--json"))
    return content


def test_training_gpt3() -> None:
    lines = equiv("1287MWh").splitlines()
    assert lines[0] == "1.287 GWh = 1287 MWh = 4.633 TJ"
    china = next(line for line in lines if "China" in line)
    assert china.split()[:4] == ["6,435", "household-months", "in", "China"]
    assert "200 kWh a month" in china
    assert china.endswith(", 2021)")


def test_with_terawatt_hours_it_is_a_thousand_times_as_much() -> None:
    press, paper = (as_json(text)["equivalents"][0] for text in ("1.28 TWh", "1.28 GWh"))
    assert press["amount"] == pytest.approx(1000 * paper["amount"])
    assert "6,400,000 household-months in China" in equiv("1.28 TWh")


def test_a_quantity_may_be_two_words() -> None:
    assert equiv("1,287", "MWh") == equiv("1287MWh")


def test_without_a_place_no_carbon_is_told() -> None:
    text = equiv("1 kWh")
    assert "CO2e" not in text
    assert "carbon  not known without a place" in text
    assert as_json("1 kWh")["carbon"] == []


def test_zones_side_by_side() -> None:
    lines = [line for line in equiv("1 kWh", "--zone", "DEU,china").splitlines() if "carbon" in line]
    assert lines == [
        "  carbon  344 g CO2e  344.1 g/kWh DEU 2024 annual average (Ember via Our World in Data, CC BY 4.0), PUE 1.0",
        "  carbon  560 g CO2e  559.6 g/kWh CHN 2024 annual average (Ember via Our World in Data, CC BY 4.0), PUE 1.0",
    ]


def test_car_kilometres_by_carbon_need_exactly_one_place() -> None:
    assert "1.38 km by the average car in the US" in equiv("1 kWh", "--zone", "DEU")
    assert "average car" not in equiv("1 kWh", "--zone", "DEU,CHN")
    assert "average car" not in equiv("1 kWh")


def test_the_configuration_counts(tmp_path: Path) -> None:
    config = '[footprint]\nzone = "DEU"\npue = 1.5\nprice_per_kwh = 0.3\ncurrency = "EUR"\n'
    text = equiv("1 kWh", config=config, tmp_path=tmp_path)
    assert "516 g CO2e  344.1 g/kWh DEU 2024" in text
    assert "  cost    0.450 EUR  0.3 EUR/kWh, PUE 1.5\n" in text


def test_a_zone_on_the_command_line_wins_over_a_configured_number(tmp_path: Path) -> None:
    text = equiv("1 kWh", "--zone", "FRA", config="[footprint]\nintensity_g_per_kwh = 3\n", tmp_path=tmp_path)
    assert "44.2 g CO2e  44.2 g/kWh FRA 2024" in text
    assert "configured" not in text


def test_json() -> None:
    content = as_json("1287MWh", "--zone", "DEU")
    assert content["schema"] == "aipower.equiv/1"
    assert content["energy_j"] == pytest.approx(4.6332e12)
    assert content["energy_wh"] == pytest.approx(1.287e9)
    assert content["text"] == "1.287 GWh = 1287 MWh = 4.633 TJ"
    assert content["carbon"][0]["co2e_g"] == pytest.approx(1.287e6 * 344.1)
    assert {"zone": "DEU", "year": 2024, "pue": 1.0}.items() <= content["carbon"][0].items()
    assert content["cost"] is None
    assert set(content["equivalents"][0]) == {"amount", "unit", "source", "year"}


def test_zones_are_listed() -> None:
    lines = equiv("--list-zones").splitlines()
    assert "DEU   344.1 g/kWh  2024  Germany" in lines
    assert "CC BY 4.0" in lines[-1]
    content = as_json("--list-zones")
    assert content["schema"] == "aipower.zones/1"
    assert len(content["zones"]) == len(lines) - 1
    assert "CC BY 4.0" in content["source"]


def test_next_to_nothing_is_said_to_be_so() -> None:
    assert equiv("1 mJ").splitlines()[:2] == ["277.8 nWh = 1 mJ", "  too little to compare with anything"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no energy given"),
        (["5 mwh"], "mWh"),
        (["5 J", "--zone", "Atlantis"], "no zone 'Atlantis'"),
        (["5 J", "--zone", ""], "no zone ''"),
        (["5 J", "--list-zones"], "takes no QUANTITY"),
        (["5 J", "--zon", "DEU"], "did you mean --zone?"),
    ],
)
def test_mistakes(words: list[str], told: str) -> None:
    parser = Parser(prog="aipower equiv", allow_abbrev=False)
    add_arguments(parser)
    with pytest.raises(UsageError) as error:
        main(parser.parse_args(words), environ={"AIPOWER_USER_CONFIG": "none"}, home="/nonexistent")
    assert told in str(error.value)


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    environ = {"AIPOWER_USER_CONFIG": "none", "PATH": "/usr/bin:/bin", **variables}
    return subprocess.run(
        [sys.executable, "-m", "aipower", "equiv", *words], env=environ, capture_output=True, check=False, timeout=60
    )


def test_the_command_itself() -> None:
    done = run("1287MWh")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"1.287 GWh = 1287 MWh = 4.633 TJ\n")


def test_a_mistake_is_one_line_and_exit_code_2() -> None:
    done = run("5 mwh")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"aipower: ")


@pytest.mark.parametrize("words", [["5J"], ["--list-zones"], ["1kWh", "--json"], ["--help"]])
def test_a_terminal_of_plain_ascii(words: list[str]) -> None:
    done = run(*words, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


def test_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "aipower", "equiv", "1J"],
            env={"AIPOWER_USER_CONFIG": "none"},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr == b"aipower: the answer cannot be written: No space left on device\n"


def test_a_reader_that_has_left_is_no_error() -> None:
    command = [sys.executable, "-m", "aipower", "equiv", "--list-zones"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
