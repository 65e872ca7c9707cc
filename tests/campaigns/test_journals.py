"""What crash campaigns do to a journal between two agents."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from aipower.journal.encode import encode
from aipower.journal.folder import SLOTS, Folder
from aipower.journal.journal import Journal
from aipower.journal.slots import Sealed, seal
from aipower.model import Position, Snapshot
from benchmarks.crash.journals import OTHER_BOOT, as_of_another_version, put_back, stand
from fakes import CPU, GPU
from journal.books import Directory, live, new_ledger, shot


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A journal with some of everything, in one slot."""
    directory = Directory()
    ledger = new_ledger(directory, cap=2)
    work = {(pid, 1): 1.0 for pid in range(1, 5)}
    live(ledger, directory, [(GPU, 10**6, work, {1}), (CPU, 10**7, work, set()), (GPU, 10**6, work, set())])
    folder = tmp_path / "state"
    folder.mkdir()
    payload = encode(shot(ledger, {GPU.id: Position(1.0, 5_000_000, 3)}))
    (folder / SLOTS[0]).write_bytes(seal(Sealed(3, payload)))
    return folder


def load(folder: Path) -> Snapshot:
    loaded = Journal(Folder(folder)).load()
    assert loaded.trouble is None
    assert loaded.state is not None
    return loaded.state


def energies(snapshot: Snapshot) -> Mapping[str, int]:
    return {row.device.id: row.energy_uj for row in snapshot.devices}


def test_what_is_owed_is_the_counter_less_the_account(state: Path) -> None:
    assert stand(state).owed_uj == {GPU.id: 5_000_000 - 3 - 2_000_000}
    assert stand(state / "nowhere").owed_uj == {}


@pytest.mark.parametrize("seed", range(4))
def test_counters_are_the_same_for_older_and_newer_versions(state: Path, seed: int) -> None:
    before = load(state)
    as_of_another_version(state, random.Random(seed))
    after = load(state)
    assert energies(after) == energies(before)
    for rows in ("processes", "runs", "users", "folded"):
        for old, new in zip(getattr(before, rows), getattr(after, rows), strict=True):
            assert old.device.id == new.device.id
            assert getattr(old, "active_uj", 0) == getattr(new, "active_uj", 0)


def test_a_device_of_a_version_that_did_not_note_when_it_was_seen_is_not_forgotten(state: Path) -> None:
    for seed in range(4):
        as_of_another_version(state, random.Random(seed))
    snapshot = load(state)
    assert all(row.seen_unix_s == snapshot.at_unix_s for row in snapshot.devices)


def test_after_a_power_cut_it_is_as_copied_and_of_another_boot(state: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / SLOTS[0]).write_bytes((state / SLOTS[0]).read_bytes())
    before = energies(load(state))
    (state / SLOTS[0]).write_bytes(b"written later")
    put_back(copy, state)
    assert energies(load(state)) == before
    assert load(state).boot == OTHER_BOOT
