"""The simulated nodes for the tests of the dashboards."""

from __future__ import annotations

from fleet.fixture import fleet

__all__ = ["fleet"]
