"""The command `aipower jobs`, against a socket that answers as an agent does, or does not."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from aipower.arguments import Parser
from aipower.cli import main
from aipower.daemon.runs.jobs import jobs_told
from aipower.daemon.runs.protocol import Jobs, Settle, decode, header, line_of
from aipower.errors import AipowerError, UsageError
from aipower.jobs.cli import add_arguments
from jobs.snapshots import snapshot

LINE = re.compile(r"aipower: ([\d.]+) joules \((\w+ [\d.]+(?:, \w+ [\d.]+)*)\) \+-([\d.]+), ")


def call(*words: str) -> int:
    """As `aipower.cli.main`, but errors come through."""
    add_arguments(parser := Parser(prog="aipower jobs"))
    arguments = parser.parse_args(words)
    code: int = arguments.main(arguments)
    return code


def test_it_is_a_command_of_aipower(agent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "--socket", agent, "--line"]) == 0
    assert capsys.readouterr().out.startswith("aipower: ")
    assert main(["jobs", "--socket", f"{agent}.not"]) == 1
    assert capsys.readouterr().err.startswith("aipower: no agent at ")


def told(line: bytes) -> bytes:
    """What an agent answers."""
    request = decode(line)
    if isinstance(request, Settle):
        return header(ok=True, settled=True)
    assert isinstance(request, Jobs)
    return line_of(jobs_told(snapshot(), request, None))


@contextlib.contextmanager
def answering(path: Path, answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """Somebody who listens at `path`; empty answers hang up."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as lines:
                    for line in lines:
                        reply = answer(line)
                        if not reply:
                            break
                        connection.sendall(reply)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield str(path)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[str]:
    with answering(tmp_path / "agent.sock", told) as path:
        yield path


def test_the_table_has_the_largest_first_and_the_sum(
    agent: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert call("--socket", agent) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["SYSTEM", "JOB"],
        ["slurm", "4711"],
        ["systemd", "vllm.service"],
        ["none", "-"],
        ["none", "-"],
        ["sum", "-"],
    ]
    row = "slurm 4711 0 ada train 900.0 J ±8.5 % 800.0 J 100.0 J 0 J 2m 00s 45.00 s running"
    assert " ".join(lines[1].split()) == row


@pytest.mark.parametrize("columns", [20, 40, 80, 100, 140])
def test_the_table_fits_the_window(
    columns: int, agent: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert call("--socket", agent) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= columns
    assert "900.0 J" in lines[1] or columns <= 20


def test_json_is_as_documented(agent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--socket", agent, "--job", "4711", "--node", "n1", "--settle", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    golden = json.loads((Path(__file__).parent / "golden.json").read_bytes())
    assert document.pop("nodes")[0].pop("host")
    golden.pop("nodes")
    assert document == golden


def test_the_line_can_be_parsed(agent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--socket", agent, "--job", "4711", "--line", "--nodes", "2") == 0
    line = capsys.readouterr().out.strip()
    assert line == (
        "aipower: 900.000 joules (gpu 800.000, cpu 100.000, dram 0.000) +-76.812, "
        "gpu held 120 s unused 45 s, 1 of 2 nodes, counter"
    )
    assert LINE.match(line)
    assert line == line.lower(), "sacctmgr would make it that"


def test_a_job_that_nobody_knows_has_no_energy(agent: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--socket", agent, "--job", "1", "--line") == 0
    assert capsys.readouterr().out == "aipower: no energy of it is known, 1 of 1 nodes\n"
    assert call("--socket", agent, "--job", "1") == 0
    assert "no job is known that fits" in capsys.readouterr().err


def test_nodes_are_added_up_from_their_files(agent: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    for node in ("n1", "n2"):
        words = ["--job", "4711", "--node", node, "--json", "-o", str(folder / f"{node}.json")]
        assert call("--socket", agent, *words) == 0
    (folder / "n3.none").write_text("no agent\n")
    assert call("--from", str(folder), "--line", "--nodes", "3") == 0
    line = capsys.readouterr().out
    assert line.startswith("aipower: 1800 joules (gpu 1600, cpu 200, dram 0) +-")
    assert "gpu held 240 s unused 90 s, 2 of 3 nodes" in line
    assert call("--from", str(folder)) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "n1"


def test_what_was_used_before_is_taken_off(agent: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    call("--socket", agent, "--json", "-o", str(before))
    document = json.loads(before.read_bytes())
    (job,) = [job for job in document["jobs"] if job["job"] == "4711"]
    job["devices"][0]["energy_j"] += 40.5
    job["devices"][0]["held_s"] += 9.0
    after.write_text(json.dumps(document))
    capsys.readouterr()
    assert call("--from", str(after), "--job", "4711", "--since", str(before), "--line") == 0
    line = capsys.readouterr().out
    assert line.startswith("aipower: 40.500 joules (gpu 40.500, cpu 0.000, dram 0.000)")
    assert "gpu held 9 s unused 0 s" in line
    job["since_unix_s"] += 1
    after.write_text(json.dumps(document))
    assert call("--from", str(after), "--job", "4711", "--since", str(before), "--line") == 0
    assert capsys.readouterr().out.startswith("aipower: 940.500 joules"), "an account that began anew is whole"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--json", "--line"], "two forms"),
        (["--from", "x", "--settle"], "asks no agent"),
        (["--nodes", "2"], "is for --line"),
        (["--from", "/nonexistent"], "there is no"),
        (["--system", "slum"], "invalid choice"),
        (["--timeout", "0"], "not a number of seconds"),
        (["--nodes", "-1", "--line"], "nodes"),
    ],
)
def test_mistakes_are_told_in_one_line(words: Sequence[str], told: str) -> None:
    with pytest.raises(UsageError, match=told) as error:
        call(*words)
    assert "\n" not in str(error.value)


def test_without_an_agent_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AipowerError, match=r"no agent at .*; start `aipower agent`"):
        call("--socket", str(tmp_path / "nobody"))
    monkeypatch.setenv("AIPOWER_SOCKET", "none")
    with pytest.raises(AipowerError, match="AIPOWER_SOCKET is none"):
        call()


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (b"", "has left"),
        (b"garbage\n", "makes no sense"),
        (b'{"ok": true, "jobs": 7}\n', "makes no sense"),
        (header(ok=False, error="Invalid value 'jobs' - at `$.do`"), "too old"),
        (header(ok=False, error="too\x1b many\n"), "refuses: too\\? many\\?"),
    ],
)
def test_an_agent_that_does_not_answer_well_is_told(reply: bytes, told: str, tmp_path: Path) -> None:
    with answering(tmp_path / "a", lambda _: reply) as path, pytest.raises(AipowerError, match=told) as error:
        call("--socket", path)
    assert "\n" not in str(error.value)


def test_an_agent_that_hangs_is_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(str(tmp_path / "a"))
        silent.listen()
        began_s = time.monotonic()
        with pytest.raises(AipowerError, match="does not answer"):
            call("--socket", str(tmp_path / "a"), "--settle", "--timeout", "0.3")
        assert 0.25 < time.monotonic() - began_s < 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not what"),
        ('{"schema": "aipower.run/1"}', "is not what"),
        ('{"schema": "x", "nodes": [], "jobs": []}', "schema 'x'"),
    ],
)
def test_a_file_that_is_none_is_told(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "n1.json").write_text(text)
    with pytest.raises(AipowerError, match=told):
        call("--from", str(tmp_path))


def test_a_node_counts_once(agent: str, tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        call("--socket", agent, "--node", "n1", "--json", "-o", str(tmp_path / name))
    with pytest.raises(AipowerError, match="two files are of the node n1"):
        call("--from", str(tmp_path), "--line")
