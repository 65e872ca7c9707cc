"""The simulated nodes."""

from __future__ import annotations

import pytest

from fleet.fixture import fleet

__all__ = ["fleet"]

pytest.register_assert_rewrite("queries.asked", "queries.jobs", "queries.people", "queries.machines")
