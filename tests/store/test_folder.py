"""The readers' half: everything that is a record is read, whatever lies beside it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.errors import AipowerError
from aipower.runrecord import Energies, RunRecord, from_json, to_json
from aipower.store import RunStore, Summary, open_store, runs_folder
from aipower.store.folder import LEFTOVER_S, load_file
from aipower.store.summary import NotReadError, read_summary
from aipower.store.writing import begin
from store.records import fifty, record, run_id, store_of, used, with_everything


def test_what_is_put_is_loaded(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    path = store.put(with_everything())
    assert path == store.path_of(with_everything().run_id)
    assert store.load(with_everything().run_id) == with_everything()
    assert load_file(path) == with_everything()


def test_a_folder_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "none")
    assert (store.ids(), store.summaries(), store.listing().skipped) == ([], [], [])
    store.clean()
    store.remove("r1")


def test_a_summary_has_the_fields_of_the_record(tmp_path: Path) -> None:
    full = with_everything()
    (summary,) = store_of(tmp_path, [full]).summaries()
    for field in Summary.__struct_fields__:
        assert getattr(summary, field) == getattr(full, field), field
    assert (summary.mean_w, summary.command_line) == (80.0, "python train.py")


def test_no_energy_and_no_time_have_no_mean_power(tmp_path: Path) -> None:
    none, short = record(1, energy_j=Energies()), record(2, wall_s=0.0)
    assert [one.mean_w for one in store_of(tmp_path, [none, short]).summaries()] == [None, None]


def test_runs_are_listed_by_time(tmp_path: Path) -> None:
    runs = list(fifty(1.8e9))
    store = store_of(tmp_path, runs[::-1])
    assert [one.run_id for one in store.summaries()] == [one.run_id for one in runs]


def test_foreign_files_are_left_out_with_a_word_and_crash_nothing(tmp_path: Path) -> None:
    store = store_of(tmp_path, [record(1)])
    newer = json.loads(to_json(record(2))) | {"schema": "aipower.run/2", "energy_j": "as never before"}
    contents = {
        "newer": json.dumps(newer).encode(),
        "empty": b"",
        "cut": to_json(record(3))[:500],
        "list": b"[1, 2]",
        "deep": b"[" * 100_000,
        "latin": b'{"schema": "\xe9"}',
        "other": b'{"schema": "else/1"}',
        "copied": to_json(record(4)),
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.json").write_bytes(content)
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "dangling.json").symlink_to("nowhere")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "an odd name.json").touch()
    listing = store.listing()
    assert [one.run_id for one in listing.summaries] == [record(1).run_id]
    told = {one.path.stem: one.reason for one in listing.skipped}
    assert set(told) == {*contents, "folder", "pipe"}
    assert told["newer"] == "its schema is 'aipower.run/2': it takes another version of aipower"
    assert told["copied"].startswith("it holds run")
    assert told["folder"] == "Is a directory"
    assert all("\n" not in reason for reason in told.values())
    assert store.find("last") == record(1)


@contextmanager
def as_nobody(folder: str) -> Iterator[None]:
    """Root may read everything: the folder becomes somebody's who may not."""
    if os.geteuid() != 0:
        yield
        return
    for path in (Path(folder), *Path(folder).iterdir()):
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_is_not_readable_is_left_out() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        store = store_of(Path(folder), [record(1), record(2)])
        store.path_of(record(2).run_id).chmod(0)
        with as_nobody(folder):
            assert [one.reason for one in store.listing().skipped] == ["Permission denied"]
            assert store.find("last") == record(1)
            store.folder.chmod(0)
            with pytest.raises(AipowerError, match="cannot be listed: Permission denied"):
                store.summaries()
            with pytest.raises(AipowerError, match=r"is not kept: .*: Permission denied; .*AIPOWER_RUNS_DIR"):
                store.put(record(3))
            store.folder.chmod(0o700)


def test_a_folder_that_cannot_be_listed_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AipowerError, match=r"the runs in .*file cannot be listed: Not a directory"):
        RunStore(tmp_path / "file").summaries()


def test_a_record_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    with pytest.raises(AipowerError, match=r"r1\.json: No such file"):
        store.load("r1")
    (tmp_path / "r1.json").write_bytes(b"{")
    with pytest.raises(AipowerError, match=r"r1\.json: no record of a run: "):
        store.load("r1")


def test_a_run_is_removed_with_its_marker_and_no_other(tmp_path: Path) -> None:
    store = store_of(tmp_path, [record(1), record(2)])
    begin(str(tmp_path), record(1).run_id, b"{}")
    store.remove(record(1).run_id)
    assert [path.name for path in tmp_path.iterdir()] == [f"{record(2).run_id}.json"]
    with pytest.raises(AipowerError, match="not the id of a run"):
        store.remove("../" + record(2).run_id)


def test_leftovers_of_dead_writers_go_and_nothing_else(tmp_path: Path) -> None:
    store = store_of(tmp_path, [record(1)])
    left = tmp_path / ".r2.77.1234.part"
    left.write_bytes(b"{")
    (tmp_path / ".mine").touch()
    begin(str(tmp_path), record(1).run_id, b"{}")
    begin(str(tmp_path), "r3", b"{}")
    now_s = left.stat().st_mtime
    store.clean(now_s + LEFTOVER_S - 1)
    assert {path.name for path in tmp_path.iterdir()} == {
        left.name, ".mine", "r3.going", f"{record(1).run_id}.json",
    }  # fmt: skip
    store.clean(now_s + LEFTOVER_S + 1)
    assert not left.exists()
    assert len(list(tmp_path.iterdir())) == 3


def test_the_users_own_store(tmp_path: Path) -> None:
    assert open_store({"AIPOWER_RUNS_DIR": str(tmp_path)}).folder == tmp_path
    assert open_store({"HOME": "/h"}).folder == runs_folder({}, Path("/h")) == Path("/h/.local/share/aipower/runs")


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    with pytest.raises(NotReadError):
        read_summary(content, "r1")


@given(st.data())
def test_a_record_with_a_byte_gone_wrong_is_read_or_left_out(data: st.DataObject) -> None:
    content = bytearray(to_json(record(1)))
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        summary = read_summary(bytes(content), record(1).run_id)
    except NotReadError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert summary.run_id == record(1).run_id


@given(st.floats(0, 1e15), st.text(max_size=20), st.lists(st.text(max_size=20), max_size=4))
def test_every_summary_agrees_with_its_record(energy_j: float, name: str, command: list[str]) -> None:
    full: RunRecord = replace(used(1, energy_j), name=name, command=command)
    summary = read_summary(to_json(full), full.run_id)
    whole = from_json(to_json(full))
    assert (summary.energy_j, summary.name, summary.command) == (whole.energy_j, whole.name, whole.command)


def test_ids_sort_by_time() -> None:
    assert run_id(1.7e9, 9) < run_id(1.7e9 + 1, 0)
