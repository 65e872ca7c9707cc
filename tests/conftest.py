"""What all tests share."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that need a real GPU run when asked for by `-m gpu`, not by accident."""
    if "gpu" in str(config.getoption("-m")):
        return
    skip = pytest.mark.skip(reason="needs a real NVIDIA GPU: run with -m gpu")
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(skip)
