"""What all tests share."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile

import pytest
from hypothesis import settings

RUNS = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """No test leaves runs in the developer's own store, or reads their configuration; no signal is ignored."""
    # nohup, some supervisors and shells that start us in the background do, and children inherit it: tests of what a
    # hang-up or Ctrl-C does would wait for ever.
    for signo in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(signo, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[RUNS] = tempfile.mkdtemp(prefix="aipower-test-runs-")
    os.environ["AIPOWER_RUNS_DIR"] = config.stash[RUNS]
    os.environ["AIPOWER_USER_CONFIG"] = "none"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    shutil.rmtree(config.stash[RUNS], ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that need a real GPU run when asked for by `-m gpu`, not by accident."""
    if "gpu" in str(config.getoption("-m")):
        return
    skip = pytest.mark.skip(reason="needs a real NVIDIA GPU: run with -m gpu")
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(skip)


# A machine that is busy with something else is no reason to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
