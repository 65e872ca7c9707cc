"""The thread that writes: what it says is durable is on the disk, and nobody waits for a disk that does not answer."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from aipower.journal import writer as journal_writer
from aipower.journal.folder import LOCK, SLOTS, Folder
from aipower.journal.journal import Journal
from aipower.journal.slots import FORMAT
from aipower.journal.troubles import Troubles
from aipower.journal.writer import LATE_S, LOCK_PATIENCE_S, JournalWriter, open_journal
from aipower.model import Snapshot
from aipower.seams import SystemClock
from fakes import FakeClock

FOR_EVER_S = 3600.0
WAIT_S = 30.0
"""More than any of these steps takes; no test waits so long."""


class GatedDisk:
    """Its syncs wait for `gate`; with `error` its writes fail."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.syncing = threading.Event()
        self.error = 0
        self.writes = 0

    def write(self, descriptor: int, data: bytes, offset: int) -> int:
        self.writes += 1
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        return os.pwrite(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        self.syncing.set()
        assert self.gate.wait(WAIT_S)
        os.fdatasync(descriptor)


def shot(number: int, version: str = "") -> Snapshot:
    return Snapshot(float(number), version or str(number), number=number)


def on_disk(folder: Path) -> str | None:
    state = Journal(Folder(folder)).load().state
    return state.version if state else None


@contextmanager
def writing(folder: Path, disk: GatedDisk | None = None, interval_s: float = FOR_EVER_S) -> Iterator[JournalWriter]:
    writer, _ = open_journal(folder, SystemClock(), interval_s, disk)
    writer.start()
    yield writer
    if disk:
        disk.gate.set()
    writer.close(WAIT_S)


def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.005)


def test_the_first_is_written_at_once_and_the_last_at_the_end(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        assert writer.flushed(Snapshot(0.0, "shows nothing"), 0.0)
        writer.offer(shot(1))
        until(lambda: writer.durable is not None)
        assert on_disk(tmp_path) == "1"
        writer.offer(shot(2))
        writer.offer(shot(3))
        assert on_disk(tmp_path) == "1"
        assert writer.close(WAIT_S)
        assert on_disk(tmp_path) == "3"
        assert writer.close(WAIT_S)
        assert not writer.flushed(shot(4), WAIT_S)
    assert open_journal(tmp_path, SystemClock())[1] == Snapshot(3.0, "3")


def test_each_interval_writes_the_newest(tmp_path: Path) -> None:
    with writing(tmp_path, interval_s=0.02) as writer:
        for number in range(1, 4):
            writer.offer(shot(number))
            until(lambda number=number: on_disk(tmp_path) == str(number))  # type: ignore[misc]
        until(lambda: writer.state().flushes == 3)  # told right after the file is there
        state = writer.state()
        assert (state.up, state.flushes, state.written_unix_s) == (True, 3, 3.0)
        assert state.size_bytes == (tmp_path / SLOTS[0]).stat().st_size
        assert state.flush_s > 0


def test_who_asks_gets_what_was_shown_or_later_onto_the_disk(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        for number in (1, 2, 3):
            assert writer.flushed(shot(number), WAIT_S)
            assert on_disk(tmp_path) == str(number)
        assert writer.flushed(shot(2), 0.0), "a page may be older than what is on the disk"
        assert writer.durable == shot(3)
        waits = [threading.Thread(target=writer.flushed, args=(shot(number), WAIT_S)) for number in range(4, 14)]
        for thread in waits:
            thread.start()
        for thread in waits:
            thread.join(WAIT_S)
        assert on_disk(tmp_path) == "13"


def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    disk = GatedDisk()
    with writing(tmp_path, disk) as writer:
        assert writer.flushed(shot(1), WAIT_S)
        disk.gate.clear()
        assert not writer.flushed(shot(2), 0.05)
        began_s = time.monotonic()
        writer.offer(shot(3))
        writer.state()
        assert not writer.close(0.05)
        assert not writer.flushed(shot(3), WAIT_S), "at the end there is nothing to wait for"
        assert time.monotonic() - began_s < WAIT_S / 2
        assert writer.durable == shot(1)


def test_after_some_time_nobody_waits_for_a_hanging_disk_and_it_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk, clock = GatedDisk(), FakeClock()
    writer = JournalWriter(Journal(Folder(tmp_path, disk)), Troubles("here"), clock, FOR_EVER_S)
    writer.start()
    disk.gate.clear()
    writer.offer(shot(1))
    assert disk.syncing.wait(WAIT_S)
    clock.now_s = journal_writer.PATIENCE_S + 0.1
    assert not writer.flushed(shot(1), WAIT_S)
    assert writer.state().up
    clock.now_s = LATE_S + 0.1
    assert [writer.state().up, writer.state().up] == [False, False]
    assert [fault.reason for fault in writer.take_faults()] == ["journal_late"]
    disk.gate.set()
    until(lambda: writer.state().up)
    assert writer.flushed(shot(2), WAIT_S)
    assert writer.close(WAIT_S)
    assert lines(caplog) == ["late", "kept again"]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The gist of each line that was logged."""
    texts = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    assert all("\n" not in text for text in texts)
    return [text.split(": ", 1)[1].split(" (")[0] if ": " in text else "kept again" for text in texts]


def test_a_full_disk_is_told_once_and_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = GatedDisk()
    with writing(tmp_path, disk, interval_s=0.02) as writer:
        assert writer.flushed(shot(1), WAIT_S)
        disk.error = errno.ENOSPC
        assert not writer.flushed(shot(2), WAIT_S), "it is told as soon as the write has failed"
        assert writer.state() == writer.state()
        assert not writer.state().up
        writes = disk.writes
        until(lambda: disk.writes > writes + 2)
        assert on_disk(tmp_path) == "1"
        assert [(fault.device, fault.reason) for fault in writer.take_faults()] == [(None, "journal_full")]
        assert writer.take_faults() == []
        disk.error = 0
        until(lambda: on_disk(tmp_path) == "2")
        until(lambda: writer.state().up)
        assert writer.flushed(shot(3), WAIT_S)
    assert lines(caplog) == ["full", "kept again"]


def test_an_end_on_a_full_disk_is_an_end(tmp_path: Path) -> None:
    disk = GatedDisk()
    with writing(tmp_path, disk) as writer:
        assert writer.flushed(shot(1), WAIT_S)
        disk.error = errno.ENOSPC
        writer.offer(shot(2))
        assert not writer.close(WAIT_S)
        assert not writer._thread.is_alive()


def test_a_second_agent_runs_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with writing(tmp_path) as first:
        assert first.flushed(shot(7), WAIT_S)
        clock = FakeClock()
        second, state = open_journal(tmp_path, clock, 0.02)
        assert state is None, "it is the first one's to go on with"
        assert clock.now_s >= LOCK_PATIENCE_S
        second.start()
        second.offer(shot(1))
        assert not second.flushed(shot(1), WAIT_S)
        assert not second.state().up
        assert [fault.reason for fault in second.take_faults()] == ["journal_locked"]
        assert not second.close(WAIT_S)
        assert on_disk(tmp_path) == "7"
    assert lines(caplog) == ["locked"], "once"


def test_an_agent_that_ends_soon_is_waited_for_and_gone_on_from(tmp_path: Path) -> None:
    with writing(tmp_path) as first:
        assert first.flushed(shot(7), WAIT_S)

        class Until(FakeClock):
            def sleep(self, seconds: float) -> None:
                super().sleep(seconds)
                if self.now_s > LOCK_PATIENCE_S / 2:
                    first.close(WAIT_S)

        second, state = open_journal(tmp_path, Until())
    assert state == replace(shot(7), number=0)  # numbers are those of one ledger
    second.start()
    assert second.state().up
    assert second.flushed(shot(8), WAIT_S)
    assert not second.take_faults()
    assert second.close(WAIT_S)
    assert {path.name for path in tmp_path.iterdir()} == {*SLOTS, LOCK}


def test_once_the_other_agent_has_gone_its_counters_are_kept_aside_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It was in a driver that hung when systemd started the next: that one has counted from 0 on meanwhile."""
    with writing(tmp_path) as first:
        assert first.flushed(shot(6), WAIT_S)
        assert first.flushed(shot(7), WAIT_S)
        before = [(tmp_path / name).read_bytes() for name in SLOTS]
        second, _ = open_journal(tmp_path, clock := FakeClock(), 0.02)
        second.start()
        second.offer(shot(1))
        until(lambda: len(second.take_faults()) == 1)

    def has_it_back() -> bool:
        clock.sleep(1.0)
        return second.state().up

    until(has_it_back)
    assert [fault.reason for fault in second.take_faults()] == ["journal_superseded"]
    assert second.flushed(shot(101), WAIT_S)
    assert second.flushed(shot(102), WAIT_S)
    assert second.close(WAIT_S)
    assert on_disk(tmp_path) == "102"
    assert [(tmp_path / f"{name}.superseded").read_bytes() for name in SLOTS] == before
    assert lines(caplog) == ["locked", "superseded"]


@pytest.mark.parametrize(
    ("header", "word"), [(b"junk", "corrupt"), (b"aipowerJ" + (FORMAT + 1).to_bytes(4, "big") + bytes(60), "newer")]
)
def test_what_cannot_be_read_is_a_fault_and_not_an_end(
    tmp_path: Path, header: bytes, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in SLOTS:
        (tmp_path / name).write_bytes(header)
    writer, state = open_journal(tmp_path, SystemClock())
    assert state is None
    writer.start()
    assert writer.flushed(shot(1), WAIT_S)
    assert [fault.reason for fault in writer.take_faults()] == [f"journal_{word}"]
    assert writer.state().up
    assert writer.close(WAIT_S)
    assert lines(caplog) == [word]
    assert (tmp_path / f"{SLOTS[0]}.{word}").read_bytes() == header


def test_a_folder_that_can_be_made_later_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with writing(tmp_path / "file" / "state", interval_s=0.02) as writer:
        assert not writer.state().up
        writer.offer(shot(1))
        assert not writer.flushed(shot(1), WAIT_S)
        (tmp_path / "file").unlink()
        until(lambda: writer.state().up)
        assert on_disk(tmp_path / "file" / "state") == "1"
    assert lines(caplog) == ["failed", "kept again"]


def test_a_bug_in_the_encoding_is_told_and_does_not_end_the_thread(tmp_path: Path) -> None:
    odd = Snapshot(1.0, "1", devices=(None,), number=1)  # type: ignore[arg-type]
    with writing(tmp_path, interval_s=0.02) as writer:
        assert not writer.flushed(odd, WAIT_S)
        assert [fault.reason for fault in writer.take_faults()] == ["journal_failed"]
        writer.offer(shot(2))
        until(lambda: on_disk(tmp_path) == "2")
