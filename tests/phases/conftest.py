"""A pipe as that of `aipower-run`, and what came through it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from aipower.phases.channel import VARIABLE, our_pipe
from phases.receiver import Receiver


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """The surrounding run: this very process has its pipe."""
    receiver = Receiver()
    monkeypatch.setenv(VARIABLE, receiver.told())
    our_pipe.cache_clear()
    yield receiver
    our_pipe.cache_clear()
    receiver.close()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No surrounding run."""
    monkeypatch.delenv(VARIABLE, raising=False)
    our_pipe.cache_clear()
    yield
    our_pipe.cache_clear()


@pytest.fixture
def pid() -> int:
    return os.getpid()
