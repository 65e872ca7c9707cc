"""docs/http-api.md says what is true: its commands run, and it names all there is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from aipower_exporters.api.catalogue import ENTRIES
from daemon.agents import Agent

TEXT = (Path(__file__).parents[2] / "docs" / "http-api.md").read_text()
COMMANDS = re.findall(r"^    (curl .*)$", TEXT, re.MULTILINE)


def need_curl() -> None:
    if shutil.which("curl") is None:
        message = "curl is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("docs")


def test_there_are_commands_to_try() -> None:
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs(command: str, running: Agent, folder: Path) -> None:
    need_curl()
    variables = {**os.environ, "AIPOWER": f"http://{running.address}", "no_proxy": "*"}
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder, env=variables, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = (folder / "page.json").read_text() if "-o page.json" in command else done.stdout
    if "python3" in command:
        assert said.startswith("{'power_w'"), said
    else:
        document = json.loads(said)
        assert ("error" in document) == ("-f" not in command)


def test_the_error_of_the_example_is_what_is_said(running: Agent) -> None:
    (example,) = re.findall(r"^says `(.*?)`", TEXT, re.MULTILINE)
    assert running.page("/api/v1/processes?limt=5") == example + "\n"


def test_all_paths_and_parameters_are_named() -> None:
    told = set(re.findall(r"`([^`]+)`", TEXT))
    assert {entry.path for entry in ENTRIES} <= told
    names = {parameter.name for entry in ENTRIES for parameter in entry.parameters}
    assert {name for name in names if name not in told and f"{name}=" not in TEXT} == set()
