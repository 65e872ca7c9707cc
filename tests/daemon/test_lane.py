"""Slow answers: few at once, a bounded queue, and none that holds up an end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Coroutine
from typing import TypeVar

import pytest

from aipower.daemon.sites.lane import MAX_AT_WORK, MAX_WAITING, BusyError, Lane

_T = TypeVar("_T")


def run(course: Coroutine[None, None, _T]) -> _T:
    return asyncio.run(asyncio.wait_for(course, 60))


def test_answers_and_errors_come_back() -> None:
    async def course() -> None:
        lane = Lane()
        assert await lane.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 // 0)
        assert await asyncio.gather(*(lane.run(lambda: 1) for _ in range(MAX_AT_WORK + MAX_WAITING - 2)))

    run(course())


def test_who_finds_no_room_is_told_at_once_and_the_others_get_their_turn() -> None:
    async def course() -> None:
        lane, release, inside = Lane(), threading.Event(), []

        def hold() -> int:
            inside.append(1)
            assert release.wait(60)
            return 1

        asked = [asyncio.ensure_future(lane.run(hold)) for _ in range(MAX_AT_WORK + MAX_WAITING)]
        await asyncio.sleep(0)  # each of them begins
        with pytest.raises(BusyError):
            await lane.run(hold)
        assert len(inside) <= MAX_AT_WORK
        release.set()
        assert await asyncio.gather(*asked) == [1] * len(asked)

    run(course())


def test_who_gets_no_turn_in_time_is_told_so() -> None:
    async def course() -> None:
        lane, release = Lane(patience_s=0.05), threading.Event()
        held = [asyncio.ensure_future(lane.run(lambda: release.wait(60))) for _ in range(MAX_AT_WORK)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await lane.run(lambda: True)
        release.set()
        assert await asyncio.gather(*held) == [True] * MAX_AT_WORK
        assert await lane.run(lambda: 3) == 3

    run(course())


def test_a_turn_lasts_until_the_work_is_done_whoever_has_left() -> None:
    async def course() -> None:
        lane, release = Lane(patience_s=0.05), threading.Event()
        held = [asyncio.ensure_future(lane.run(lambda: release.wait(60))) for _ in range(MAX_AT_WORK)]
        await asyncio.sleep(0.01)
        for one in held:
            one.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        with pytest.raises(BusyError):
            await lane.run(lambda: True)
        release.set()

    run(course())


HANGS = """
import asyncio, threading
from aipower.daemon.sites.lane import Lane
async def course():
    asked = asyncio.ensure_future(Lane().run(threading.Event().wait))
    await asyncio.sleep(0.1)
    asked.cancel()
asyncio.run(course())
print("ended")
"""


def test_work_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=True)
    assert (ended.stdout, ended.stderr) == ("ended\n", "")
