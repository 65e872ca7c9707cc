"""Which runs of a folder are shown, and what is passed over."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.runrecord import Energies, Intervals, RunRecord, to_json
from aipower.shelf import runshelf
from aipower.shelf.files import MAX_BYTES, Folder, tells_when
from aipower.shelf.runshelf import MAX_NAME, RunShelf
from aipower.site.sources import KeptRun
from aipower.store import RunStore
from aipower.store.going import Here, Marker
from aipower.store.writing import GOING, MAX_ID, RECORD, begin, is_id
from store.records import BASE, STARTED_UNIX_S, record, run_id, store_of

HERE = Here("node", "boot-1", {7: STARTED_UNIX_S}.get)
LONG_AFTER_S = time.time() + 1e6
"""Times of files are settled by then."""


def shelf_of(folder: Path, most: int = 100, unix_s: Callable[[], float] = lambda: LONG_AFTER_S) -> RunShelf:
    return RunShelf(Folder(str(folder), os.geteuid()), most, lambda: HERE, unix_s)


def shown(shelf: RunShelf) -> list[str]:
    return [run.run_id for run in shelf.runs()]


def mark_going(folder: Path, number: int, pid: int = 7, host: str = "node") -> str:
    started_s = STARTED_UNIX_S + number
    marker = Marker(run_id(started_s, number), pid, started_s, f"run {number}", ["x"], host, "boot-1")
    begin(str(folder), marker.run_id, msgspec.json.encode(marker))
    return marker.run_id


# --- what is shown ---


def test_runs_are_told_as_their_records_have_them(tmp_path: Path) -> None:
    (run,) = _shown_of(tmp_path, record(name="baseline", exit_code=3))
    assert (run.run_id, run.name, run.state) == (record().run_id, "baseline", "ended")
    assert (run.started_unix_s, run.wall_s, run.exit_code) == (STARTED_UNIX_S, 10.0, 3)
    assert (run.energy_j, run.interval_j) == (800.0, (750.0, 850.0))


def test_a_run_without_energy_has_none(tmp_path: Path) -> None:
    (run,) = _shown_of(tmp_path, record(energy_j=Energies(), interval_j=Intervals(), name="n" * 5000))
    assert (run.energy_j, run.interval_j, len(run.name)) == (None, None, MAX_NAME)


def _shown_of(folder: Path, one: RunRecord) -> list[KeptRun]:
    store_of(folder, [one])
    return list(shelf_of(folder).runs())


def test_the_newest_come_first_and_only_so_many(tmp_path: Path) -> None:
    store_of(tmp_path, [record(number, STARTED_UNIX_S + number) for number in range(9)])
    assert shown(shelf_of(tmp_path, most=4)) == [run_id(STARTED_UNIX_S + number, number) for number in (8, 7, 6, 5)]


def test_runs_that_go_or_were_killed_are_shown_and_those_of_other_machines_are_not(tmp_path: Path) -> None:
    store_of(tmp_path, [record(1)])
    going, killed, _ = mark_going(tmp_path, 5), mark_going(tmp_path, 3, pid=8), mark_going(tmp_path, 4, host="other")
    runs = shelf_of(tmp_path).runs()
    assert [(run.run_id, run.state) for run in runs] == [
        (going, "going"), (killed, "killed"), (record(1).run_id, "ended"),
    ]  # fmt: skip
    assert (runs[0].name, runs[0].wall_s, runs[0].exit_code, runs[0].energy_j) == ("run 5", None, None, None)


def test_a_record_beats_the_marker_that_its_writer_has_left(tmp_path: Path) -> None:
    one = mark_going(tmp_path, 5)
    store_of(tmp_path, [record(5, STARTED_UNIX_S + 5)])
    assert [(run.run_id, run.state) for run in shelf_of(tmp_path).runs()] == [(one, "ended")]


def test_a_run_ends_although_no_file_changes(tmp_path: Path) -> None:
    mark_going(tmp_path, 5)
    born: dict[int, float] = {7: STARTED_UNIX_S}
    here = Here("node", "boot-1", born.get)
    shelf = RunShelf(Folder(str(tmp_path)), here=lambda: here, unix_s=lambda: LONG_AFTER_S)
    assert [run.state for run in shelf.runs()] == ["going"]
    del born[7]
    assert [run.state for run in shelf.runs()] == ["killed"]


def test_names_that_tell_no_time_are_behind_those_that_do(tmp_path: Path) -> None:
    for name in ("zz", "ranking"):
        store_of(tmp_path, [record(run_id=name)])
    store_of(tmp_path, [record(2)])
    assert shown(shelf_of(tmp_path, most=1)) == [record(2).run_id]


# --- changes ---


def test_changes_of_the_folder_show(tmp_path: Path) -> None:
    store, shelf = RunStore(tmp_path / "later"), shelf_of(tmp_path / "later")
    assert shown(shelf) == []
    store.put(record(1))
    assert shown(shelf) == [record(1).run_id]
    store.put(record(2, STARTED_UNIX_S + 60))
    assert len(shown(shelf)) == 2
    store.put(record(1, exit_code=9))
    assert [run.exit_code for run in shelf.runs()] == [0, 9]
    store.remove(record(1).run_id)
    assert shown(shelf) == [record(2, STARTED_UNIX_S + 60).run_id]


def test_an_unchanged_folder_is_not_read_again(tmp_path: Path) -> None:
    folder = Counting(str(tmp_path))
    store_of(tmp_path, [record(number) for number in range(5)])
    shelf = RunShelf(folder, here=lambda: HERE, unix_s=lambda: LONG_AFTER_S)
    assert [len(shelf.runs()) for _ in range(3)] == [5, 5, 5]
    assert (folder.listed, folder.read_names) == (1, 5)
    RunStore(tmp_path).put(record(7))
    assert len(shelf.runs()) == 6
    assert (folder.listed, folder.read_names) == (2, 6)


def test_a_folder_that_has_just_changed_is_looked_at_again(tmp_path: Path) -> None:
    """Its time may be too coarse to show a second change."""
    store_of(tmp_path, [record(1)])
    changed_s = tmp_path.stat().st_mtime
    folder = Counting(str(tmp_path))
    shelf = RunShelf(folder, here=lambda: HERE, unix_s=lambda: changed_s + 0.5)
    assert shown(shelf) == [record(1).run_id]
    store_of(tmp_path, [record(2)])
    os.utime(tmp_path, (changed_s, changed_s))
    assert len(shown(shelf)) == 2
    assert folder.read_names == 2


class Counting(Folder):
    """Counts what is asked of the disk."""

    listed = 0
    read_names = 0

    def newest(self, most: int) -> list[str]:
        Counting.listed += 1
        return super().newest(most)

    def read(self, name: str) -> bytes | None:
        Counting.read_names += 1
        return super().read(name)


@pytest.fixture(autouse=True)
def _count_anew() -> None:
    Counting.listed = Counting.read_names = 0


def test_more_than_may_be_read_at_once_is_read_when_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_of(tmp_path, [record(number, STARTED_UNIX_S + number) for number in range(10)])
    monkeypatch.setattr(runshelf, "MOST_BYTES", 3 * len(to_json(record(1))) + 100)
    shelf = shelf_of(tmp_path)
    counts = [len(shelf.runs()) for _ in range(4)]
    assert counts == [3, 6, 9, 10]


# --- what is not ours ---


@pytest.mark.timeout(60)
def test_only_plain_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    kept = tmp_path / "kept"
    store_of(kept, [record(1)])
    target = store_of(tmp_path / "elsewhere", [record(2)]).path_of(record(2).run_id)
    (kept / target.name).symlink_to(target)
    os.mkfifo(kept / "20270101T000000Z-fifo.json")
    (kept / "20270101T000000Z-dir.json").mkdir()
    (kept / "20270101T000000Z-loop.json").symlink_to("20270101T000000Z-loop.json")
    (kept / "20270101T000000Z-zero.json").symlink_to("/dev/zero")
    with (kept / "20270101T000000Z-huge.json").open("wb") as huge:
        huge.truncate(MAX_BYTES + 1)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(kept / "20270101T000000Z-s.json"))
        shelf = shelf_of(kept)
        assert shown(shelf) == [record(1).run_id]
        for path in kept.iterdir():
            found = shelf.record(path.name.removesuffix(RECORD))
            assert (found is not None) == (path.name == f"{record(1).run_id}{RECORD}")


def test_files_of_others_are_passed_over(tmp_path: Path) -> None:
    store_of(tmp_path, [record(1)])
    mark_going(tmp_path, 5)
    other = RunShelf(Folder(str(tmp_path), os.geteuid() + 1), here=lambda: HERE)
    assert (shown(other), other.record(record(1).run_id)) == ([], None)
    assert len(shown(RunShelf(Folder(str(tmp_path)), here=lambda: HERE))) == 2


@pytest.mark.parametrize("folder", ["missing", "file", "a\0b", "x" * 5000])
def test_a_folder_that_is_none_is_empty(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    shelf = RunShelf(Folder(f"{tmp_path}/{folder}"))
    assert (list(shelf.runs()), shelf.record(record(1).run_id)) == ([], None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_is_denied_is_empty(tmp_path: Path) -> None:
    store_of(tmp_path / "kept", [record(1)])
    (tmp_path / "kept").chmod(0)
    shelf = shelf_of(tmp_path / "kept")
    assert (shown(shelf), shelf.record(record(1).run_id)) == ([], None)
    (tmp_path / "kept").chmod(0o700)


def test_a_record_of_another_name_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / f"b{RECORD}").write_bytes(to_json(record(1)))
    shelf = shelf_of(tmp_path)
    assert (shown(shelf), shelf.record("b")) == ([], None)


# --- records ---


def test_a_record_is_what_was_kept(tmp_path: Path) -> None:
    store_of(tmp_path, [record(1, name="a")])
    assert shelf_of(tmp_path).record(record(1).run_id) == record(1, name="a")


@pytest.mark.parametrize(
    "word", ["", ".", "..", "../kept/r", "a/b", "a\0b", "%2e%2e", "a" * 201, "é", "a\n", "r.json", "/etc/passwd", "r "]
)
def test_no_id_is_a_path(tmp_path: Path, word: str) -> None:
    store_of(tmp_path / "kept", [record(run_id="r")])
    shelf = shelf_of(tmp_path / "kept")
    assert shelf.record(word) is None
    assert shelf.record("r") == record(run_id="r")


FIXED = (f"{record(1).run_id}{RECORD}", f"{record(1).run_id}{GOING}", "x.json", ".json", ".x.json", "a.part")
ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=40)
NAMES = st.one_of(
    st.sampled_from(FIXED),
    ANY_TEXT.map(lambda text: f"{text}{RECORD}"),
    st.from_regex(r"\A[A-Za-z0-9_.-]{1,210}\.(json|going)\Z"),
)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.integers(0, len(to_json(BASE))).map(lambda cut: to_json(record(1))[:cut]),
    st.just(b"[" * 100_000),
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=9), lambda x: st.lists(x, max_size=3)).map(
        lambda value: to_json(record(1)).replace(b'"exit_code": 0', b'"exit_code": ' + msgspec.json.encode(value))
    ),
)


@settings(max_examples=150)
@given(st.dictionaries(NAMES.filter(lambda name: len(name.encode()) < 250 and name not in {".", ".."}), BODIES))
def test_any_rubbish_is_passed_over(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("rubbish")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    sound = record(77, STARTED_UNIX_S + 77)
    store_of(folder, [sound])
    shelf = shelf_of(folder)
    assert sound.run_id in shown(shelf)
    assert shelf.record(sound.run_id) == sound
    for run in shelf.runs():
        assert is_id(run.run_id)
        assert {f"{run.run_id}{RECORD}", f"{run.run_id}{GOING}"} & {path.name for path in folder.iterdir()}


@given(st.text(st.sampled_from("ab9Z-_.é/ \n"), max_size=6), st.sampled_from([RECORD, GOING, "", ".js"]))
def test_files_of_runs_are_those_that_the_store_would_write(run: str, ending: str) -> None:
    name = run + ending
    written = any(name.endswith(one) and is_id(name.removesuffix(one)) for one in (RECORD, GOING))
    assert (tells_when(name) is not None) == written


def test_ids_as_long_as_the_store_takes_them() -> None:
    for length in (MAX_ID - 1, MAX_ID, MAX_ID + 1):
        assert (tells_when("a" * length + GOING) is not None) == is_id("a" * length)
    assert [tells_when(f"{BASE.run_id}{RECORD}"), tells_when(f"x{RECORD}")] == [True, False]
