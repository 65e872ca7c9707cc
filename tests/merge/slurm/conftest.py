"""The cluster, started once for all tests of a worker."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from slurm.cluster import Cluster, running, why_not


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Real Slurm; skipped where it is not installed, but never in CI."""
    if (why := why_not()) and os.environ.get("CI") != "true":
        pytest.skip(f"no Slurm: {why}")
    assert not why
    with running(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster
