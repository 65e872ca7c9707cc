"""The site, started once for all tests of a worker."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from slurm.accounting import NEEDED_TOO
from slurm.cluster import why_not
from slurm.site import Site, site


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Real Slurm with accounting; skipped where it is not installed, but never in CI."""
    why = why_not(NEEDED_TOO)
    if why and os.environ.get("CI") != "true":
        pytest.skip(f"no Slurm with accounting: {why} slurmdbd mariadb-server")
    assert not why
    with site(tmp_path_factory.mktemp("site")) as running:
        yield running
