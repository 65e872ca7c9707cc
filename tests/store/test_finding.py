"""Which run a word means."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipower.errors import AipowerError, UsageError
from aipower.runrecord import RunRecord, SeriesRecord, to_json
from aipower.store import RunStore
from aipower.store.writing import begin
from store.records import STARTED_UNIX_S, record, store_of

SERIES = "20261118T100640Z-0000feed"


def at(minute: int, number: int, name: str = "", series: int | None = None) -> RunRecord:
    told = None if series is None else SeriesRecord(SERIES, series, 3)
    return record(number, STARTED_UNIX_S + 60 * minute, name=name, series=told)


RUNS = [
    at(0, 0xABCD1111, "base"),
    at(1, 0xABCD2222, "base"),
    at(2, 0x33333333, "cafe"),
    at(3, 0xCAFE4444),
    at(4, 5, "sweep", 0),
    at(5, 6, "sweep", 1),
    at(6, 7, "sweep", 2),
]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return store_of(tmp_path / "runs", RUNS)


@pytest.mark.parametrize(
    ("word", "index"),
    [
        ("last", 6),
        ("last~0", 6),
        ("last~6", 0),
        (RUNS[2].run_id, 2),
        ("abcd1111", 0),
        ("abcd2", 1),
        ("base", 1),
        ("cafe", 2),
        ("cafe4", 3),
        ("33333333", 2),
        (RUNS[0].run_id[:-2], 0),
    ],
)
def test_a_word_means_one_run(store: RunStore, word: str, index: int) -> None:
    assert store.find(word) == RUNS[index]


def test_a_path_is_a_path(store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "elsewhere"
    file.write_bytes(to_json(at(9, 9)))
    monkeypatch.chdir(tmp_path)
    assert store.find(str(file)) == store.find("elsewhere") == store.find("./elsewhere") == at(9, 9)
    assert store.find(str(store.path_of(RUNS[0].run_id))) == RUNS[0]


def test_a_name_may_look_like_a_path(store: RunStore) -> None:
    for name in ("exp/lr=3", "run.json"):
        run = at(20, len(name), name)
        store.put(run)
        assert store.find(name) == run
        assert store.find_all(name) == [run]
    with pytest.raises(AipowerError, match="none/here: No such file"):
        store.find("none/here")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("abcd", "'abcd' begins the ids of 2 runs: abcd1111, abcd2222; type more of it"),
        ("2026", "begins the ids of 7 runs: cafe4444, 00000005, 00000006, 00000007 and others"),
        ("bas", "no run 'bas' is kept; did you mean base?; an id needs 4 characters or more; see `aipower runs`"),
        ("sweeep", "did you mean sweep?"),
        ("abc", "an id needs 4 characters or more"),
        ("zzzzzz", "no run 'zzzzzz' is kept; see `aipower runs`"),
        ("last~7", "last~7: only 7 runs are kept, so last~6 is the oldest"),
        ("", "no run '' is kept; see"),
        ("a\nb", "no run 'a\\nb' is kept"),
        ("x" * 5000, f"no run '{'x' * 60}...' is kept"),
        ("\0", "no run '\\x00' is kept"),
    ],
)
def test_a_word_that_means_none_is_one_line(store: RunStore, word: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        store.find(word)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    for word in ("last", "name"):
        with pytest.raises(UsageError, match=r"no run is kept in .* yet"):
            RunStore(tmp_path).find(word)


@pytest.mark.parametrize(
    ("pid", "told"), [(1, "run dddd0001 still goes: it has"), (2**22 + 1, "was killed and .* `aipower rm dddd0001`")]
)
def test_a_run_without_a_record_is_told(store: RunStore, pid: int, told: str) -> None:
    run = "20261128T133214Z-dddd0001"
    line = f'{{"run_id":"{run}","name":"now","pid":{pid},"started_unix_s":4e9,"command":[],"host":"","boot":""}}\n'
    begin(str(store.folder), run, line.encode())
    for word in ("dddd", "now", run):
        with pytest.raises(UsageError, match=told):
            store.find(word)


def test_last_passes_over_what_cannot_be_read(store: RunStore) -> None:
    (store.folder / "29991231T000000Z-00000001.json").write_bytes(b"{")
    assert store.find("last") == RUNS[-1]


@pytest.mark.parametrize(
    ("word", "indices"),
    [
        ("base", [0, 1]),
        ("sweep", [4, 5, 6]),
        (SERIES, [4, 5, 6]),
        ("0000feed", [4, 5, 6]),
        ("0000fe", [4, 5, 6]),
        ("cafe", [2]),
        ("cafe4444", [3]),
        ("last", [6]),
        ("last~2", [4]),
        (RUNS[0].run_id, [0]),
    ],
)
def test_all_runs_of_a_name_or_series(store: RunStore, word: str, indices: list[int]) -> None:
    assert store.find_all(word) == [RUNS[index] for index in indices]


def test_all_runs_of_nothing_is_the_same_line(store: RunStore) -> None:
    with pytest.raises(UsageError, match="did you mean sweep"):
        store.find_all("sweeep")
    with pytest.raises(UsageError, match="no run '' is kept"):
        store.find_all("")


def test_a_run_on_another_host_is_told(store: RunStore) -> None:
    run = "20261128T133214Z-dddd0001"
    begin(str(store.folder), run, f'{{"run_id":"{run}","pid":1,"started_unix_s":4e9,"host":"far"}}'.encode())
    with pytest.raises(UsageError, match="run dddd0001 began on 'far' and has no record yet"):
        store.find("dddd0001")
