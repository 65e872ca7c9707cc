from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.wrapping.build import Programs, build
from benchmarks.wrapping.world import World


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return build(tmp_path_factory.mktemp("programs") / "bin")


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "mark"


@pytest.fixture
def world(tmp_path: Path, programs: Programs) -> World:
    environ = {"PATH": f"{programs.load.parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    return World(tmp_path, programs, environ, {"AIPOWER_RUNS_DIR": str(tmp_path / "runs")}, os.getpid())
