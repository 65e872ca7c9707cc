"""The README and the decisions say what is true: commands run, options and folders exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import fields

from aipower.run.options import make_parser
from aipower.runrecord import (
    CarbonRecord,
    CostRecord,
    DeviceRecord,
    EquivalentRecord,
    FaultLine,
    JobRecord,
    Missing,
    NodeRecord,
    PerUnit,
    PhasePart,
    PhaseRecord,
    PowerSeries,
    ProcessRecord,
    RunRecord,
    SeriesRecord,
)
from aipower.sensors.select import POWERCAP_VARIABLE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent
TABLES = (
    RunRecord, DeviceRecord, ProcessRecord, PhaseRecord, PowerSeries, PerUnit, JobRecord, CarbonRecord, CostRecord,
)  # fmt: skip
"""Records of which each field has a row in docs/record.md."""
RUNNABLE = "python train.py"
"""Stands for the user's own training, which we have not."""


def commands() -> list[str]:
    """The indented command lines of the README."""
    return [line.strip().partition("  #")[0].strip() for line in re.findall(r"^    \S.*$", README, re.MULTILINE)]


def test_there_are_commands_to_test() -> None:
    assert {command.split()[0] for command in commands()} == {
        "./dev", ".venv/bin/aipower-run", ".venv/bin/aipower",
    }  # fmt: skip


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith(".venv/bin/")])
def test_a_command_of_the_readme_runs(command: str, tmp_path: Path) -> None:
    command = command.replace(RUNNABLE, f"{sys.executable} -c pass")
    program, *words = shlex.split(command)
    argv = [str(BIN / Path(program).name), *words]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith("./dev")])
def test_a_command_of_dev_exists(command: str) -> None:
    script = (ROOT / "dev").read_text()
    assert re.search(rf"^{command.split()[1]}\)$", script, re.MULTILINE)


def test_dev_without_a_command_says_what_there_is() -> None:
    done = subprocess.run([ROOT / "dev"], capture_output=True, text=True, check=True)
    assert "./dev demo" in done.stdout
    wrong = subprocess.run([ROOT / "dev", "nonsense"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, "unknown command" in wrong.stderr) == (1, True)


def test_the_table_of_options_is_the_parsers() -> None:
    section = README.split("## aipower-run")[1].split("## ")[0]
    told = set(re.findall(r"`(-{1,2}[a-z-]+)", section))
    real = {option for action in make_parser()._actions for option in action.option_strings}
    assert told == real - {"-h", "--help", "--version"}


def test_the_folders_of_the_readme_exist() -> None:
    folders = re.findall(r"^\| `([\w/]+/)` \|", README, re.MULTILINE)
    assert len(folders) > 8
    for folder in folders:
        assert (ROOT / folder).is_dir(), folder


def test_every_package_of_the_agent_is_in_the_readme() -> None:
    packages = {path.parent.name for path in (ROOT / "agent" / "aipower").glob("*/__init__.py")}
    told = set(re.findall(r"^\| `agent/aipower/(\w+)/` \|", README, re.MULTILINE))
    assert told == packages


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_environment_variable_is_named() -> None:
    assert POWERCAP_VARIABLE in README


def test_decisions_are_numbered_without_gaps_and_titled() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:3]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert page.read_text().startswith(f"# {page.name[:3]}: ")


def test_the_changelog_has_something_to_say() -> None:
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("kind", [*TABLES, FaultLine, Missing, EquivalentRecord, SeriesRecord, NodeRecord, PhasePart])
def test_every_field_of_the_record_is_documented(kind: type[RunRecord]) -> None:
    told = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "record.md").read_text()))
    assert {field.name for field in fields(kind)} <= told


def test_no_field_is_documented_that_is_not_there() -> None:
    tables = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", (ROOT / "docs" / "record.md").read_text(), re.MULTILINE)
    told = {name for cell in tables for name in re.findall(r"`(\w+)`", cell)}
    real = {field.name for kind in TABLES for field in fields(kind)}
    assert told == real
