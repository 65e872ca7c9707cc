"""One agent for all tests here that need a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from daemon.agents import Agent, agent


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """A simulated node that has measured for a moment."""
    with agent(tmp_path_factory.mktemp("api"), "--sensors", "fake", "--interval-s", "0.2") as found:
        found.until_healthy()
        yield found
