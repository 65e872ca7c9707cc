"""Engines with data, and a user who asks for reports."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from aipower.runrecord import RunRecord
from fleet.fixture import fleet
from fleet.server import prometheus
from fleet_report.engines import built_once, latest_victoria
from fleet_report.user import User
from fleet_report.world import document

__all__ = ["fleet"]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small world, made once for all processes of a session: `samples.om`, and `data` as Prometheus keeps it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    return built_once(shared / "small-world", document)


@pytest.fixture(scope="session")
def blocks(built: Path) -> Path:
    """The small world as Prometheus keeps it."""
    return built / "data"


@pytest.fixture(scope="session")
def world(blocks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Prometheus of the small world."""
    own = tmp_path_factory.mktemp("world-prometheus")
    # Blocks are never written to: links will do.
    shutil.copytree(blocks, own / "data", copy_function=os.link)
    with prometheus(own, own / "data") as url:
        yield url


@pytest.fixture(scope="session")
def victoria(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a VictoriaMetrics of the small world."""
    with latest_victoria(tmp_path_factory.mktemp("victoria") / "run", built / "samples.om") as url:
        yield url


@pytest.fixture(scope="session")
def known() -> dict[tuple[str, ...], RunRecord]:
    """Records by who was asked for what."""
    return {}


@pytest.fixture
def user(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    known: dict[tuple[str, ...], RunRecord],
) -> User:
    """At a terminal, without secrets of the developer's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("NETRC", "COLUMNS", "NO_COLOR", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    return User(capsys, known)
