from collections.abc import Iterator

import pytest

from phases.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A pipe for a program, as `aipower-run` has one."""
    receiver = Receiver()
    yield receiver
    receiver.close()
