"""Wrong requests by the thousand; `python -m benchmarks.fuzz http` sends more."""

from __future__ import annotations

import random
from pathlib import Path

from daemon.crowd import child
from daemon.http_fuzz import answer, request, statuses

INPUTS = 4000
GOOD = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_no_request_leaves_more_than_a_status(tmp_path: Path) -> None:
    dice = random.Random(20_261_123)
    with child(tmp_path, 20_000) as service:

        def check() -> None:
            assert answer(service.port, GOOD).startswith(b"HTTP/1.1 200 ")

        check()
        before = service.figures()
        found = statuses(service.port, (request(dice) for _ in range(INPUTS)), 500, check)
        service.until_freed(before[0])
        assert service.figures()[1] - before[1] < 20_000_000
    assert {"200", "400", "404", "405", "413", "414", "431", "501", "505"} <= set(found)
    assert "500" not in found
    assert len(service.log.read_text().splitlines()) < 5
