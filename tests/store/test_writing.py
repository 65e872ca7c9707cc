"""The writer's half: whole files or none, private, light, and one line for whatever goes wrong."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from aipower.errors import AipowerError
from aipower.store.writing import begin, finished, home_of, is_id, put_bytes, runs_folder

RUN = "20261128T133214Z-1a2b3c4d"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_variable_then_xdg_then_home() -> None:
    told = {"AIPOWER_RUNS_DIR": "/a", "XDG_DATA_HOME": "/x"}
    assert runs_folder(told, "/home/me") == "/a"
    assert runs_folder({"XDG_DATA_HOME": "/x"}, "") == "/x/aipower/runs"
    assert runs_folder({}, "/home/me") == "/home/me/.local/share/aipower/runs"
    assert runs_folder({"XDG_DATA_HOME": "relative"}, "/home/me") == "/home/me/.local/share/aipower/runs"


@pytest.mark.parametrize("home", ["", "~", "relative"])
def test_no_home_is_one_line_with_the_remedy(home: str) -> None:
    with pytest.raises(AipowerError, match="name a folder by AIPOWER_RUNS_DIR"):
        runs_folder({}, home)


def test_a_home_that_is_no_path_is_none() -> None:
    assert home_of({"HOME": "/home/me"}) == "/home/me"
    assert home_of({"HOME": "here"}) == ""


def test_folder_and_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "aipower" / "runs"
    old = os.umask(0)
    try:
        path = Path(put_bytes(str(folder), RUN, b"{}"))
        marker = Path(begin(str(folder), RUN, b"{}\n"))
    finally:
        os.umask(old)
    assert path == folder / f"{RUN}.json"
    assert [mode(one) for one in (folder, folder.parent, path, marker)] == [0o700, 0o700, 0o600, 0o600]


def test_a_record_replaces_an_older_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    put_bytes(str(tmp_path), RUN, b"old and long")
    path = put_bytes(str(tmp_path), RUN, b"new")
    assert Path(path).read_bytes() == b"new"
    assert names(tmp_path) == [f"{RUN}.json"]


def test_a_marker_comes_and_goes(tmp_path: Path) -> None:
    begin(str(tmp_path), RUN, b'{"pid":1}\n')
    assert (tmp_path / f"{RUN}.going").read_bytes() == b'{"pid":1}\n'
    finished(str(tmp_path), RUN)
    finished(str(tmp_path), RUN)
    assert names(tmp_path) == []


@pytest.mark.parametrize("wrong", ["", "../x", "a/b", ".hidden", "a\0b", "a b", "ü", "x" * 201])
def test_no_id_leads_out_of_the_folder(wrong: str, tmp_path: Path) -> None:
    assert not is_id(wrong)
    with pytest.raises(AipowerError, match="cannot be the id"):
        put_bytes(str(tmp_path / "runs"), wrong, b"{}")
    assert names(tmp_path) == []


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        AipowerError, match=r"not kept: .*/file/runs: Not a directory; name another folder by AIPOWER_RUNS_DIR"
    ) as told:
        put_bytes(str(tmp_path / "file" / "runs"), RUN, b"{}")
    assert "\n" not in str(told.value)


FULL = """
import resource, sys
from aipower.errors import AipowerError
from aipower.store.writing import put_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    put_bytes(sys.argv[1], sys.argv[2], b"x" * 5000)
except AipowerError as error:
    print(error)
"""


def test_a_disk_that_takes_no_more_is_one_line_and_leaves_what_was_there(tmp_path: Path) -> None:
    put_bytes(str(tmp_path), RUN, b"old")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), RUN], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.count("\n") == 1
    assert f"run {RUN} is not kept: {tmp_path}: File too large; free some space" in done.stdout
    assert names(tmp_path) == [f"{RUN}.json"]
    assert (tmp_path / f"{RUN}.json").read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write into another user's folder")
def test_what_root_measures_for_a_user_is_the_users(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12346)
    path = Path(put_bytes(str(tmp_path / "aipower" / "runs"), RUN, b"{}"))
    assert {(one.stat().st_uid, one.stat().st_gid) for one in (path, path.parent, path.parent.parent)} == {
        (12345, 12346)
    }


def test_a_relative_folder_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(put_bytes("runs", RUN, b"{}")).read_bytes() == b"{}"


def test_it_imports_next_to_nothing() -> None:
    code = """
        import sys
        before = set(sys.modules)
        import aipower.store.writing
        print(*sorted(set(sys.modules) - before))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "aipower.store.writing" in done.stdout
    dear = {"argparse", "dataclasses", "enum", "inspect", "json", "msgspec", "pathlib", "re", "tempfile", "typing"}
    assert not dear & set(done.stdout.split())
    assert len(done.stdout.split()) < 30
