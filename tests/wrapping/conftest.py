from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.wrapping.build import Programs, build


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return build(tmp_path_factory.mktemp("programs") / "bin")


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "mark"
