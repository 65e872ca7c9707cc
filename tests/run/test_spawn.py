"""The search along PATH, the environment, and the count of descendants, on trees in a temporary folder."""

import contextlib
import errno
import os
import signal
from pathlib import Path

import pytest

from aipower.errors import AipowerError
from aipower.run.descriptors import inheritable_descriptors, keep_private, let_go, open_descriptors
from aipower.run.reaper import count_descendants
from aipower.run.spawn import CommandError, candidates, original_environment, spawn


def executable(path: Path, text: str = "#!/bin/sh\nexit 3\n", mode: int = 0o755) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def search_path(*folders: Path) -> bytes:
    return ":".join(map(str, folders)).encode()


def test_name_with_a_slash_is_not_searched() -> None:
    assert list(candidates("./x", b"/bin")) == ["./x"]
    assert list(candidates("a/x", None)) == ["a/x"]


def test_folders_are_tried_in_order_and_absent_files_are_skipped(tmp_path: Path) -> None:
    first, second = executable(tmp_path / "a/x"), executable(tmp_path / "c/x")
    found = candidates("x", search_path(tmp_path / "a", tmp_path / "b", first, tmp_path / "c"))
    assert list(found) == [str(first), str(second)]


def test_empty_folder_is_the_current_one(tmp_path: Path) -> None:
    executable(tmp_path / "x")
    with contextlib.chdir(tmp_path):
        assert list(candidates("x", b"/none:")) == ["x"]
        assert list(candidates("x", b"/none")) == []


def test_without_a_path_the_systems_folders_are_searched() -> None:
    assert list(candidates("sh", None))


def test_empty_name_is_not_found() -> None:
    with pytest.raises(CommandError) as caught:
        spawn([""], (), {})
    assert caught.value.exit_code == 127


def test_search_goes_on_after_a_file_that_may_not_be_run(tmp_path: Path) -> None:
    executable(tmp_path / "a/x", mode=0o644)
    executable(tmp_path / "b/x")
    (tmp_path / "c/x").mkdir(parents=True)
    path = search_path(tmp_path / "c", tmp_path / "a", tmp_path / "b")
    assert exit_code(spawn(["x"], (), {b"PATH": path})) == 3


@pytest.mark.parametrize("folders", ["ab", "ba"])
def test_forbidden_wins_over_absent(tmp_path: Path, folders: str) -> None:
    executable(tmp_path / "a/x", mode=0o644)
    executable(tmp_path / "b/x", "#!/no/such/interpreter\n")
    path = search_path(*(tmp_path / folder for folder in folders))
    with pytest.raises(CommandError, match=r"^aipower-run: x: Permission denied$") as caught:
        spawn(["x"], (), {b"PATH": path})
    assert caught.value.exit_code == 126
    assert isinstance(caught.value, AipowerError)


def test_name_that_is_too_long_ends_the_search() -> None:
    with pytest.raises(CommandError) as caught:
        spawn(["./" + "x" * 5000], (), {})
    assert caught.value.exit_code == 126
    assert os.strerror(errno.ENAMETOOLONG) in str(caught.value)


def test_file_below_a_file_cannot_be_run(tmp_path: Path) -> None:
    below = executable(tmp_path / "x") / "y"
    with pytest.raises(CommandError, match="Not a directory") as caught:
        spawn([str(below)], (), {})
    assert caught.value.exit_code == 126


def test_first_argument_is_the_name_as_given(tmp_path: Path) -> None:
    (tmp_path / "shell").symlink_to("/bin/sh")
    ask = "import sys; sys.exit(0)"
    assert (
        exit_code(spawn(["shell", "-c", 'test "$0" = shell', "shell", ask], (), {b"PATH": search_path(tmp_path)})) == 0
    )


def test_mask_is_the_one_asked_for() -> None:
    check = ["grep", "-q", "^SigBlk:.*0000000000000200$", "/proc/self/status"]
    assert exit_code(spawn(check, (signal.SIGUSR1,), {b"PATH": b"/bin:/usr/bin"})) == 0


def environ_file(proc: Path, content: bytes) -> Path:
    (proc / "self").mkdir()
    (proc / "self/environ").write_bytes(content)
    return proc


def test_locale_that_python_set_is_taken_back(tmp_path: Path) -> None:
    proc = environ_file(tmp_path, b"A=1\0LC_CTYPE=POSIX\0XLC_CTYPE=no\0")
    assert original_environment(proc)[b"LC_CTYPE"] == b"POSIX"


def test_locale_that_was_not_set_is_removed_and_all_else_is_kept(tmp_path: Path) -> None:
    proc = environ_file(tmp_path, b"A=1\0")
    expected = {name: value for name, value in os.environb.items() if name != b"LC_CTYPE"}
    assert original_environment(proc) == expected


def test_environment_without_proc_is_ours(tmp_path: Path) -> None:
    assert original_environment(tmp_path) == dict(os.environb)


def process(proc: Path, pid: int, parent: int, state: str = "S", name: str = "x") -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {state} {parent} 1 1 0 -1\n")


def test_descendants_of_all_generations_are_counted_and_zombies_are_not(tmp_path: Path) -> None:
    process(tmp_path, 10, 1)
    process(tmp_path, 11, 10, name="odd) Z 1 (")
    process(tmp_path, 12, 11, "T")
    process(tmp_path, 13, 10, "Z")
    process(tmp_path, 14, 1)
    (tmp_path / "15").mkdir()
    (tmp_path / "self").mkdir()
    assert count_descendants(10, tmp_path) == 2
    assert count_descendants(14, tmp_path) == 0
    assert count_descendants(1, tmp_path) == 4


def test_descriptors_that_were_opened_here_are_private_unless_said_otherwise(tmp_path: Path) -> None:
    private, shared = os.pipe()
    os.set_inheritable(shared, True)
    found = inheritable_descriptors()
    assert shared in found
    assert private not in found
    assert {private, shared} <= set(open_descriptors())
    keep_private([shared])
    assert shared not in inheritable_descriptors()
    let_go([private, shared, 1_000_000])
    for fd in (private, shared):
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fd)
    assert open_descriptors(tmp_path)[:3] == [0, 1, 2]
