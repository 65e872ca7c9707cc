"""The image file, by what can be said without an engine to build it and without a registry to take its base from."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from aipower import __version__
from packages.tools import ROOT, run

FILE = ROOT / "deploy/container/Containerfile"
LINES = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", FILE.read_text(), flags=re.MULTILINE))
STAGES = re.split(r"^(?=FROM )", LINES, flags=re.MULTILINE)[1:]


def instructions(stage: str, name: str) -> list[str]:
    """The arguments of all instructions `name`, in order."""
    return [line.partition(" ")[2].strip() for line in stage.splitlines() if line.startswith(f"{name} ")]


def copied() -> list[str]:
    """What the build stage takes from the repository."""
    return [word for line in instructions(STAGES[0], "COPY") for word in line.split()[:-1]]


def test_two_stages_of_one_named_base() -> None:
    bases = [instructions(stage, "FROM")[0].split()[0] for stage in STAGES]
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", bases[0])


def test_what_is_copied_is_there_and_is_all_that_the_wheel_wants() -> None:
    assert [name for name in copied() if not (ROOT / name).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = {
        project["project"]["readme"],
        *project["project"]["license-files"],
        *wheel["packages"],
        *wheel["shared-data"],
    }
    assert {name for name in wanted if not any(f"{name}/".startswith(f"{folder}/") for folder in copied())} == set()


def test_the_ignore_file_lets_through_what_is_copied() -> None:
    let = {line[1:] for line in FILE.with_suffix(".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let == set(copied())


def test_packages_are_pinned_by_hash_and_need_no_compiler() -> None:
    pips = [line for line in instructions(STAGES[0], "RUN") if "pip install" in line]
    assert "--require-hashes" in pips[0]
    assert "--only-binary=:all:" in pips[0]
    assert not any(re.search(r"apt-get|gcc|apk ", stage) for stage in STAGES)


@pytest.mark.timeout(600)
def test_the_commands_of_the_build_stage_work(tmp_path: Path) -> None:
    """All of its COPY and RUN lines in order, with /opt and /build below a folder of ours and this Python."""
    (tmp_path / "build/deploy").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    for line in STAGES[0].splitlines():
        kind, _, rest = line.partition(" ")
        here = rest.replace("/opt/", f"{tmp_path}/opt/").replace("/build", f"{tmp_path}/build")
        if kind == "COPY":
            run("cp", "-R", *here.split(), cwd=ROOT)
        elif kind == "RUN":
            run("sh", "-c", here, env=os.environ | {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"})
    said = run(tmp_path / "opt/aipower/bin/aipower", "--version")
    assert said.strip() == f"aipower {__version__}"


def test_the_image_runs_the_agent_as_a_user_without_rights() -> None:
    image = STAGES[1]
    assert instructions(image, "USER") == ["aipower"]
    # It stays so: nothing after it makes anybody else.
    assert image.index("USER aipower") > image.index("useradd")
    assert (instructions(image, "ENTRYPOINT"), instructions(image, "CMD")) == (['["aipower"]'], ['["agent"]'])


@pytest.mark.parametrize("name", ["AIPOWER_POWERCAP_ROOT", "STATE_DIRECTORY", "RUNTIME_DIRECTORY"])
def test_the_image_says_where_things_are(name: str) -> None:
    variables = dict(word.split("=", 1) for line in instructions(STAGES[1], "ENV") for word in shlex.split(line))
    assert variables[name].startswith("/")


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_believes_the_agent(status: int, healthy: bool) -> None:
    """Its own command, asking a server of ours instead of the agent."""

    class Agent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/-/healthy" else 404)
            self.end_headers()

        def log_message(self, *_: Any, **__: Any) -> None:
            """Nothing."""

    program = json.loads(instructions(STAGES[1], "HEALTHCHECK")[0].split("CMD ", 1)[1])[-1]
    with HTTPServer(("127.0.0.1", 0), Agent) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        here = program.replace(":9877/", f":{server.server_port}/")
        done = subprocess.run([sys.executable, "-c", here], check=False, capture_output=True, timeout=60)
        thread.join()
    assert here != program
    assert (done.returncode == 0) is healthy
