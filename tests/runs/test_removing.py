"""`aipower rm`."""

from __future__ import annotations

import os
import time

import pytest

from aipower.store import RunStore
from aipower.store.writing import begin
from runs.commands import Shell, on_terminal
from store.records import record, store_of

DAY_S = 86_400


@pytest.fixture
def kept(shell: Shell) -> Shell:
    now_s = time.time()
    ages = {1: 50, 2: 40, 3: 20, 4: 1}
    names = {1: "a", 2: "b", 3: "b", 4: "c"}
    store_of(shell.folder, [record(n, now_s - age * DAY_S, name=names[n], exit_code=n % 2) for n, age in ages.items()])
    return shell


def left(shell: Shell) -> list[int]:
    return [int(run_id[-1]) for run_id in RunStore(shell.folder).ids()]


@pytest.mark.parametrize(
    ("words", "remain"),
    [
        (("last",), [1, 2, 3]),
        (("b",), [1, 2, 4]),
        (("00000001", "a", "last"), [2, 3]),
        (("--older-than", "30d"), [3, 4]),
        (("--name", "b"), [1, 4]),
        (("--failed", "--older-than", "30d"), [2, 3, 4]),
        (("--all",), []),
        (("--name", "none"), [1, 2, 3, 4]),
    ],
)
def test_what_was_named_goes(kept: Shell, words: tuple[str, ...], remain: list[int]) -> None:
    done = kept.call("rm", "-f", *words)
    count = 4 - len(remain)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"removed {count} run{'' if count == 1 else 's'}, ")
    assert left(kept) == remain


def test_a_dry_run_tells_and_removes_nothing(kept: Shell) -> None:
    done = kept.call("rm", "--older-than", "30d", "--dry-run")
    *_, told = done.out.splitlines()
    assert told.startswith("would remove 2 runs, ")
    assert told.endswith(" kB")
    assert done.out.count("python train.py") == 2
    assert left(kept) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("answer", "code", "remain"), [(b"y\n", 0, [4]), (b"\n", 1, [1, 2, 3, 4]), (b"n\n", 1, [1, 2, 3, 4])]
)
def test_a_person_is_asked(kept: Shell, answer: bytes, code: int, remain: list[int]) -> None:
    done, told = on_terminal(kept.folder, 80, "rm", "--older-than", "10d", answer=answer)
    assert done == code
    assert "remove 3 runs, " in told
    assert f"from {kept.folder}? [y/N]" in told
    assert left(kept) == remain


def test_without_a_person_it_takes_force(kept: Shell) -> None:
    done = kept.program("rm", "--all")
    assert done.returncode == 2
    assert b"nobody is there to ask; -f removes without asking" in done.stderr
    assert left(kept) == [1, 2, 3, 4]


@pytest.mark.parametrize("words", [(), ("last", "--all"), ("last", "--failed")])
def test_it_takes_words_or_a_rule(kept: Shell, words: tuple[str, ...]) -> None:
    done = kept.call("rm", "-f", *words)
    assert done.code == 2
    assert "name runs, or say which by --older-than" in done.err
    assert left(kept) == [1, 2, 3, 4]


def test_one_wrong_word_and_nothing_goes(kept: Shell) -> None:
    assert kept.call("rm", "-f", "last", "zzzz").code == 2
    assert left(kept) == [1, 2, 3, 4]


def test_a_file_elsewhere_is_not_ours_to_remove(kept: Shell) -> None:
    file = kept.folder.parent / "saved.json"
    kept.call("report", "--json", str(file))
    done = kept.call("rm", "-f", str(file))
    assert (done.code, file.exists()) == (2, True)
    assert "remove it as any other" in done.err


@pytest.mark.parametrize("word", ["dddd0001", "dddd", "lost", "20261128T133214Z-dddd0001"])
def test_a_run_that_was_killed_goes_and_one_that_runs_stays(kept: Shell, word: str) -> None:
    line = '{"run_id":"%s","pid":%d,"started_unix_s":4e9,"name":"%s","command":["a"],"host":"","boot":""}'
    killed, running = "20261128T133214Z-dddd0001", "20261128T133214Z-eeee0001"
    begin(str(kept.folder), killed, (line % (killed, 2**22 + 1, "lost")).encode())
    begin(str(kept.folder), running, (line % (running, os.getpid(), "mine")).encode())
    assert "still goes" in kept.call("rm", "-f", "eeee0001").err
    assert kept.call("rm", "-f", word).out.startswith("removed 1 run, ")
    kept.call("rm", "-f", "--all")
    assert [path.name for path in kept.folder.iterdir()] == [f"{running}.going"]


def test_a_record_that_is_no_longer_read_can_be_removed(kept: Shell) -> None:
    (kept.folder / "20261128T133214Z-bad00001.json").write_bytes(b"")
    assert kept.call("rm", "-f", "20261128T133214Z-bad00001").code == 0
    assert left(kept) == [1, 2, 3, 4]


def test_a_run_of_a_host_that_is_gone_goes_by_name_only(kept: Shell) -> None:
    run = "20261128T133214Z-dddd0001"
    begin(str(kept.folder), run, f'{{"run_id":"{run}","pid":1,"started_unix_s":4e9,"host":"far"}}'.encode())
    kept.call("rm", "-f", "--all")
    assert "elsewhere" in kept.call("runs").out
    kept.call("rm", "-f", "dddd0001")
    assert list(kept.folder.iterdir()) == []
