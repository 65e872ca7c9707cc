from pathlib import Path

import pytest

from repeat.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.script()
    return desk
