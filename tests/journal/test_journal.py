"""Two slots: whatever becomes of one, the other is whole; what cannot be read is kept aside, never written over."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aipower.journal.folder import SLOTS, Folder
from aipower.journal.journal import Journal, Loaded
from aipower.journal.slots import FORMAT, Sealed, seal, unseal
from aipower.journal.troubles import JournalError
from aipower.model import Snapshot

OLD, NEW = Snapshot(1.0, "old"), Snapshot(2.0, "new")


@dataclass(slots=True)
class FailingDisk:
    """Takes `room` bytes and then fails as `number` says; with `unsynced` the bytes are taken but not kept."""

    number: int = errno.ENOSPC
    room: int = 0
    unsynced: bool = False
    broken: bool = True
    offsets: list[int] = field(default_factory=list)

    def write(self, descriptor: int, data: bytes, offset: int) -> int:
        self.offsets.append(offset)
        if not self.broken or self.unsynced:
            return os.pwrite(descriptor, data, offset)
        if offset >= self.room:
            raise OSError(self.number, os.strerror(self.number))
        return os.pwrite(descriptor, data[: self.room - offset], offset)

    def sync(self, descriptor: int) -> None:
        if self.broken and self.unsynced:
            raise OSError(self.number, os.strerror(self.number))
        os.fdatasync(descriptor)


def saved(folder: Path, *states: Snapshot) -> None:
    journal = Journal(Folder(folder))
    journal.load()
    for state in states:
        journal.save(state)
    journal.close()


def loaded(folder: Path) -> Loaded:
    return Journal(Folder(folder)).load()


def version(found: Loaded) -> str | None:
    return found.state.version if found.state else None


def reason(found: Loaded) -> str | None:
    return found.trouble.reason if found.trouble else None


def test_the_newest_is_loaded_and_the_slots_are_written_in_turn(tmp_path: Path) -> None:
    assert loaded(tmp_path / "none") == Loaded()
    journal, size = Journal(Folder(tmp_path)), 0
    for number in range(5):
        size = journal.save(Snapshot(float(number), str(number)))
        assert version(loaded(tmp_path)) == str(number)
    journal.close()
    assert [unseal((tmp_path / name).read_bytes()).sequence for name in SLOTS] == [5, 4]  # type: ignore[union-attr]
    assert (tmp_path / SLOTS[0]).stat().st_size == size
    saved(tmp_path, NEW)
    assert version(loaded(tmp_path)) == "new"


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    saved(tmp_path / "deep" / "state", OLD, NEW)
    assert (tmp_path / "deep" / "state").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "deep" / "state").iterdir()} == {0o600}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from(SLOTS), st.booleans())
def test_any_bytes_in_a_slot_leave_the_other(tmp_path: Path, junk: bytes, slot: str, grown: bool) -> None:
    """Also with a right beginning."""
    saved(tmp_path, OLD, NEW)
    path = tmp_path / slot
    whole = unseal(path.read_bytes())
    assert whole is not None
    path.write_bytes(path.read_bytes()[:70] + junk if grown else junk)
    other = {SLOTS[0]: SLOTS[1], SLOTS[1]: SLOTS[0]}[slot]
    kept = unseal((tmp_path / other).read_bytes())
    assert kept is not None
    found = loaded(tmp_path)
    assert version(found) == ("old" if b'"old"' in kept.payload else "new")
    assert found.trouble is None
    for path in tmp_path.iterdir():
        path.unlink()


def test_a_slot_cut_at_any_length_leaves_the_other(tmp_path: Path) -> None:
    saved(tmp_path, OLD, NEW)
    path = tmp_path / SLOTS[1]
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert version(loaded(tmp_path)) == "old"
    path.write_bytes(data + b"tail")
    assert version(loaded(tmp_path)) == "new"


def test_a_changed_bit_anywhere_is_seen() -> None:
    data = bytearray(seal(Sealed(7, b"payload")))
    for place in range(len(data) * 8):
        data[place // 8] ^= 1 << place % 8
        with pytest.raises(JournalError):
            unseal(bytes(data))
        data[place // 8] ^= 1 << place % 8
    assert unseal(bytes(data)) == Sealed(7, b"payload")


@pytest.mark.parametrize("junk", [b"junk", b"\0" * 5000])
def test_two_damaged_slots_are_kept_aside_once(tmp_path: Path, junk: bytes) -> None:
    for name in SLOTS:
        (tmp_path / name).write_bytes(junk)
    journal = Journal(Folder(tmp_path))
    found = journal.load()
    assert (found.state, reason(found)) == (None, "corrupt")
    journal.save(NEW)
    journal.close()
    assert [(tmp_path / f"{name}.corrupt").read_bytes() for name in SLOTS] == [junk, junk]
    assert (version(loaded(tmp_path)), reason(loaded(tmp_path))) == ("new", None)


def test_a_first_write_that_was_cut_short_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / SLOTS[0]).write_bytes(seal(Sealed(1, b"{}"))[:-1])
    assert loaded(tmp_path) == Loaded()


def newer(sequence: int) -> bytes:
    data = bytearray(seal(Sealed(sequence, b"what only the future can read")))
    data[8:12] = (FORMAT + 1).to_bytes(4, "big")
    return bytes(data)


def test_after_a_downgrade_the_newer_bytes_are_kept(tmp_path: Path) -> None:
    saved(tmp_path, OLD)
    (tmp_path / SLOTS[1]).write_bytes(newer(9))
    journal = Journal(Folder(tmp_path))
    found = journal.load()
    assert (version(found), reason(found)) == ("old", "newer")
    journal.save(NEW)
    journal.close()
    assert (tmp_path / f"{SLOTS[1]}.newer").read_bytes() == newer(9)
    assert (version(loaded(tmp_path)), reason(loaded(tmp_path))) == ("new", None)


def test_what_is_no_file_is_put_aside(tmp_path: Path) -> None:
    """A link would let whoever may write there have the agent write elsewhere; a pipe would hold it up."""
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / SLOTS[0]).symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / SLOTS[1])
    assert reason(loaded(tmp_path)) == "unreadable"
    saved(tmp_path, OLD, NEW)
    assert version(loaded(tmp_path)) == "new"
    assert (tmp_path / "elsewhere").read_text() == "precious"


def test_two_agents_never_write_one_journal(tmp_path: Path) -> None:
    saved(tmp_path, OLD)
    first, second = Journal(Folder(tmp_path)), Journal(Folder(tmp_path))
    first.open()
    with pytest.raises(JournalError) as caught:
        second.open()
    assert caught.value.reason == "locked"
    with pytest.raises(JournalError):
        second.save(NEW)
    assert version(second.load()) == "old"
    first.close()
    first.close()
    second.open()
    second.close()


def test_what_another_agent_has_written_is_kept_aside_also_where_the_disk_fails_at_first(tmp_path: Path) -> None:
    disk = FailingDisk(broken=False)
    first, second = Journal(Folder(tmp_path)), Journal(Folder(tmp_path, disk))
    first.open()
    first.save(OLD)
    before = (tmp_path / SLOTS[0]).read_bytes()
    with pytest.raises(JournalError):
        second.save(NEW)
    first.close()
    disk.broken = True
    with pytest.raises(JournalError):
        second.save(NEW)
    assert second.foreign, "nobody has been told yet"
    disk.broken = False
    second.save(NEW)
    second.close()
    assert not second.foreign
    assert version(loaded(tmp_path)) == "new"
    assert (tmp_path / f"{SLOTS[0]}.superseded").read_bytes() == before


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.ENOSPC, "full"),
        (errno.EDQUOT, "full"),
        (errno.EFBIG, "full"),
        (errno.EROFS, "readonly"),
        (errno.EACCES, "readonly"),
        (errno.EIO, "failed"),
    ],
)
@pytest.mark.parametrize("room", [0, 40, 80])
def test_a_write_that_fails_leaves_the_last_one_and_later_ones_work(
    tmp_path: Path, number: int, word: str, room: int
) -> None:
    disk = FailingDisk(number, room, broken=False)
    journal = Journal(Folder(tmp_path, disk))
    journal.save(OLD)
    for unsynced in (False, True):
        disk.broken, disk.unsynced = True, unsynced
        with pytest.raises(JournalError) as caught:
            journal.save(Snapshot(3.0, "lost"))
        assert caught.value.reason == word
        assert version(loaded(tmp_path)) == ("lost" if unsynced else "old")
    disk.broken = False
    journal.save(NEW)
    assert version(loaded(tmp_path)) == "new"
    journal.close()


def test_a_folder_that_cannot_be_is_told_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(Folder(tmp_path / "file" / "state"))
    assert journal.load() == Loaded()
    with pytest.raises(JournalError) as caught:
        journal.save(NEW)
    assert caught.value.reason == "failed"
    (tmp_path / "file").unlink()
    journal.save(NEW)
    assert version(loaded(tmp_path / "file" / "state")) == "new"
    journal.close()


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    journal = Journal(Folder(tmp_path / "state"))
    journal.save(OLD)
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    (tmp_path / "state").rmdir()
    journal.save(NEW)
    assert version(loaded(tmp_path / "state")) == "new"
    with pytest.raises(JournalError):
        Journal(Folder(tmp_path / "state")).open()
    journal.close()


SMALL = """
import resource, sys
from pathlib import Path
from aipower.journal.folder import Folder
from aipower.journal.journal import Journal
from aipower.journal.troubles import JournalError
from aipower.model import Snapshot
journal = Journal(Folder(Path(sys.argv[1])))
journal.save(Snapshot(1.0, "old"))
resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY))
try:
    journal.save(Snapshot(2.0, "x" * 1000))
except JournalError as error:
    print(error.reason)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.save(Snapshot(3.0, "new"))
"""


def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-c", SMALL, tmp_path], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("full\n", "", 0)
    assert version(loaded(tmp_path)) == "new"


def test_a_state_that_is_too_large_is_refused(tmp_path: Path) -> None:
    journal = Journal(Folder(tmp_path))
    with pytest.raises(JournalError, match="too many"):
        journal.save(Snapshot(1.0, "x" * (33 * 1024 * 1024)))
    journal.close()
