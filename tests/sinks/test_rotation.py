"""Files of lines that are cut by size: no line is lost or torn, and their number and size are bounded."""

from __future__ import annotations

import contextlib
import gzip
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.errors import UsageError
from aipower.sinks import SinkError
from aipower_exporters.sinks import rotation
from aipower_exporters.sinks.options import Options
from aipower_exporters.sinks.rotation import LineFile, Rotation, rotate, rotation_of


def files_of(path: Path) -> list[Path]:
    """The file and those beside it, the oldest first."""
    older = rotation._older(path)
    assert all(len(paths) == 1 for paths in older.values())
    return [*(older[number][0] for number in sorted(older, reverse=True)), *([path] if path.exists() else [])]


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def lines_of(path: Path, header: bytes = b"") -> list[bytes]:
    """All lines, the oldest first; each file begins with `header`."""
    found: list[bytes] = []
    for part in map(content, files_of(path)):
        assert part.startswith(header)
        assert part.endswith(b"\n")
        found.extend(part[len(header) :].splitlines(keepends=True))
    return found


PUSHES = st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=5), max_size=25)
TORN = st.sampled_from((b"", b"", b"torn", b"x" * 100))


@settings(max_examples=80)
@given(PUSHES, st.integers(20, 200), st.integers(1, 4), st.booleans(), st.sampled_from((b"", b"head\n")), TORN)
def test_what_is_there_is_the_end_of_what_was_written(
    pushes: list[list[int]], max_bytes: int, keep: int, packed: bool, header: bytes, torn: bytes
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines"
        written: list[bytes] = []
        largest = 0
        for number, sizes in enumerate(pushes):
            lines = [b"%06d:%s\n" % (len(written) + n, b"." * size) for n, size in enumerate(sizes)]
            # A new one each time: an agent that has been started again goes on where the last one stopped.
            LineFile(Rotation(path, max_bytes, keep, packed), header).append(b"".join(lines))
            written.extend(lines)
            largest = max(largest, len(header) + sum(map(len, lines)))
            there = lines_of(path, header)
            assert there == written[len(written) - len(there) :]
            assert len(there) >= len(lines)
            sizes_now = [len(content(part)) for part in files_of(path)]
            assert len(sizes_now) <= keep
            assert max(sizes_now) <= max(max_bytes, largest)
            if len(sizes_now) < keep:
                assert there == written
            if torn and number % 3 == 0:  # what a crash in the middle of a write leaves
                with path.open("ab") as file:
                    file.write(torn)
        assert {part.name for part in Path(folder).iterdir()} == {part.name for part in files_of(path)}


def test_a_file_that_another_has_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    file = LineFile(Rotation(path), b"head\n")
    file.append(b"1\n")
    path.rename(tmp_path / "elsewhere")
    file.append(b"2\n")
    assert path.read_bytes() == b"head\n2\n"


def test_a_file_with_another_header_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    LineFile(Rotation(path), b"old\n").append(b"1\n")
    LineFile(Rotation(path), b"new\n").append(b"2\n")
    assert path.read_bytes() == b"new\n2\n"
    assert (tmp_path / "lines.1").read_bytes() == b"old\n1\n"


def test_files_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    others = ("lines.0", "lines.1.bak", "lines.x", "lines.01", "other.1", "lines.1.gz.old")
    for name in others:
        (tmp_path / name).write_text(name)
    for _ in range(5):
        LineFile(Rotation(path, 4, 2)).append(b"123\n")
    assert {name: (tmp_path / name).read_text() for name in others} == {name: name for name in others}
    assert len(files_of(path)) == 2


def test_fewer_files_than_before_are_kept_once_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    for number in range(8):
        LineFile(Rotation(path, 4, 6)).append(b"%03d\n" % number)
    LineFile(Rotation(path, 4, 3, gzip=True)).append(b"008\n")
    assert lines_of(path) == [b"006\n", b"007\n", b"008\n"]
    assert [part.suffix for part in files_of(path)] == [".gz", ".gz", ""]


def test_a_crash_while_compressing_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    for number in range(3):
        LineFile(Rotation(path, 4, 6, gzip=True)).append(b"%03d\n" % number)
    # As if it had ended after the compressed file was there, and before the plain one was removed.
    (tmp_path / "lines.1").write_bytes(b"001\n")
    LineFile(Rotation(path, 4, 6, gzip=True)).append(b"003\n")
    assert lines_of(path) == [b"000\n", b"001\n", b"002\n", b"003\n"]


def test_rotating_goes_on_over_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    for name, text in (("lines", "3"), ("lines.2", "2"), ("lines.4", "1")):
        (tmp_path / name).write_text(f"{text}\n")
    rotate(Rotation(path, 4, 5))
    assert lines_of(path) == [b"2\n", b"3\n"]


@contextlib.contextmanager
def small_files(max_bytes: int) -> Iterator[None]:
    """Writes beyond `max_bytes` of a file end short, and then fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_room_is_a_fault_and_leaves_no_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    file = LineFile(Rotation(path))
    file.append(b"first\n")
    with small_files(100), pytest.raises(SinkError, match="File too large") as caught:
        file.append(b"x" * 200 + b"\n")
    assert caught.value.reason == "full"
    assert path.read_bytes() == b"first\n"
    file.append(b"second\n")
    assert path.read_bytes() == b"first\nsecond\n"


def test_no_room_for_the_first_line_leaves_no_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    file = LineFile(Rotation(path), b"head\n")
    with small_files(10), pytest.raises(SinkError):
        file.append(b"x" * 200 + b"\n")
    file.append(b"second\n")
    assert path.read_bytes() == b"head\nsecond\n"


def test_no_room_to_compress_keeps_the_plain_file(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    file = LineFile(Rotation(path, 3000, 4, gzip=True))
    noise = os.urandom(1500).hex().encode()[:2900] + b"\n"
    file.append(noise)
    with small_files(100):
        file.append(b"1\n" * 50)
    assert lines_of(path) == [noise, *[b"1\n"] * 50]
    assert [part.name for part in files_of(path)] == ["lines.1", "lines"]
    file.append(b"2\n" * 1499)
    assert [part.name for part in files_of(path)] == ["lines.2.gz", "lines.1.gz", "lines"]


def test_a_disk_that_is_full_and_then_is_not(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        path, ballast = disk / "lines", disk / "ballast"
        file = LineFile(Rotation(path))
        ballast.write_bytes(b"x" * 40_000)
        line = b"y" * 9_999 + b"\n"
        written, refused = 0, []
        for _ in range(6):
            try:
                file.append(line)
                written += 1
            except SinkError as error:
                refused.append(error.reason)
        assert refused[-1] == "full"
        assert path.read_bytes() == line * written
        ballast.unlink()
        file.append(line)
        assert path.read_bytes() == line * (written + 1)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_pipe_does_not_hold_it_up(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    os.mkfifo(path)
    with pytest.raises(SinkError) as caught:
        LineFile(Rotation(path)).append(b"1\n")
    assert caught.value.reason == "failed"


def test_a_folder_that_has_gone_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="No such file or directory") as caught:
        LineFile(Rotation(tmp_path / "gone" / "lines")).append(b"1\n")
    assert caught.value.reason == "failed"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_bytes": 1}, "max_bytes: expected a whole number from 4096 to 1099511627776"),
        ({"keep": 0}, "keep: expected a whole number from 1 to 1000"),
        ({"keep": 2.0}, "keep: expected a whole number from 1 to 1000"),
        ({"gzip": "yes"}, "gzip: expected true or false"),
    ],
)
def test_wrong_options_are_told(options: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        rotation_of(Options(options), Path("/x"))
    assert str(caught.value) == text
