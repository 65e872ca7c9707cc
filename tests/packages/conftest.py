"""The Debian package, built once for all tests of a session."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from packages.tools import ROOT, need, run


@pytest.fixture(scope="session")
def deb(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The path of the .deb. The workers of one session share it: the first one builds."""
    need("dpkg-buildpackage", "dpkg-dev")
    need("dh", "debhelper")
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "deb"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(folder.glob("*.deb")):
            run(ROOT / "deploy/deb/build", folder)
    return next(folder.glob("*.deb"))
