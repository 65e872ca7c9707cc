"""The simulated nodes for the tests of rules."""

from __future__ import annotations

from fleet.fixture import fleet

__all__ = ["fleet"]
