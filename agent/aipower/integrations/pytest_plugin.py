"""pytest: `pytest --aipower` tells the energy of each test.

This module is imported by every pytest that finds aipower installed, so it does nothing unless it is asked.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Our options."""
    group = parser.getgroup("aipower", "energy of tests")
    group.addoption("--aipower", action="store_true", help="measure the energy of each test")
    group.addoption("--aipower-json", metavar="FILE", help="write the energy of each test to FILE; implies --aipower")
    group.addoption("--aipower-sensors", metavar="LIST", default="auto", help="auto, fake, or nvml, rapl")


def pytest_configure(config: pytest.Config) -> None:
    """Measure, if we are asked to."""
    if config.getoption("--aipower") or config.getoption("--aipower-json"):
        from aipower.integrations.pytest_meter import TestMeter  # noqa: PLC0415 - see above

        config.pluginmanager.register(TestMeter(config), "aipower-meter")
