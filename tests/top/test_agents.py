"""Watching a real agent: while it runs, while it is away, after it has begun anew."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aipower.errors import AipowerError, UsageError
from aipower.seams import SystemClock
from aipower.sensors.fake import simulate
from aipower.top.choose import Choice, choose
from aipower.top.look import Look, Source
from aipower.top.picture import picture_of
from aipower.top.remote import RemoteSource, parse_url
from aipower.top.rows import Picture
from aipower.top.watch import Watch
from daemon.agents import LIMIT_S, agent
from fakes import FakeDirectory
from top.worlds import all_sums

FAST_S = 0.2
"""Between two fetches."""


class Watched:
    """A source, and all pictures of it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.watch = Watch()
        self.looks: list[Look] = []
        self._news = threading.Event()
        source.start(self._news.set)

    def until(self, is_there: Callable[[Picture], bool], what: str) -> Picture:
        """The first picture for which `is_there` is true; none on the way may be below 0."""
        deadline_s = SystemClock().monotonic_s() + LIMIT_S
        while True:
            for one in self.source.take():
                self.looks.append(one)
                self.watch.add(one)
                found = picture_of(self.watch, None)
                check(found)
                if is_there(found):
                    return found
            left_s = deadline_s - SystemClock().monotonic_s()
            assert left_s > 0, f"{what} never came; trouble: {self.source.trouble!r}, {len(self.looks)} looks"
            self._news.wait(left_s)
            self._news.clear()

    def until_trouble(self) -> str:
        """What the source says once something is wrong."""
        deadline_s = SystemClock().monotonic_s() + LIMIT_S
        while not self.source.trouble:
            assert SystemClock().monotonic_s() < deadline_s
            self._news.wait(1.0)
            self._news.clear()
        return self.source.trouble


def check(found: Picture) -> None:
    """No sum is below 0, and the rows sum to the total."""
    for sums in all_sums(found):
        assert sums.energy_uj >= 0
        assert sums.power_w is None or sums.power_w >= 0
    if found.total is not None:
        assert sum(sums.energy_uj for sums in all_sums(found)) == found.total.sums.energy_uj


@contextmanager
def watching(address: str) -> Iterator[Watched]:
    source = RemoteSource(parse_url(address), FAST_S, SystemClock())
    try:
        yield Watched(source)
    finally:
        source.stop()


def gpus_work(found: Picture) -> bool:
    return any((row.sums.power_w or 0.0) > 10 and row.comm == "train.py" for row in found.processes)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_an_agent_shows_what_works(tmp_path: Path) -> None:
    with agent(tmp_path, "--sensors", "fake:2") as running, watching(running.address) as seen:
        found = seen.until(gpus_work, "work on a GPU")
        assert found.simulated
        assert [row.device.index for row in found.devices if row.device.kind == "gpu"] == ["0", "1"]
        watts = sum(row.sums.power_w or 0.0 for row in found.processes if row.comm in {"train.py", "vllm"})
        assert 20 < watts < 2000
        assert all(row.device.name.startswith("Simulated") for row in found.devices)


def test_watts_of_a_page_are_true(tmp_path: Path) -> None:
    """The simulation is a function of time, so that the truth between two moments is known."""
    clock = SystemClock()
    wave = simulate(1, clock, None, FakeDirectory())[0].sensors[0].wave  # type: ignore[attr-defined]
    with agent(tmp_path, "--sensors", "fake:1") as running, watching(running.address) as seen:
        found = seen.until(lambda _: len(seen.looks) > 12, "twelve looks")
        track = seen.watch.tracks[found.devices[0].device.id]
        assert track.first is not None
        assert track.latest is not None
        since_s, until_s = track.first.at_s, track.latest.at_s
        truth_w = (wave.energy_j(until_s) - wave.energy_j(since_s)) / (until_s - since_s)
        assert found.devices[0].mean_w == pytest.approx(truth_w, rel=0.1)


def test_an_agent_that_goes_away_is_told_and_taken_up_again(tmp_path: Path) -> None:
    port = free_port()
    flags = ("--sensors", "fake:2", "--listen", f"127.0.0.1:{port}")
    with agent(tmp_path, *flags) as running, watching(running.address) as seen:
        seen.until(gpus_work, "work")
        running.process.kill()
        running.process.wait(LIMIT_S)
        assert "does not answer" in seen.until_trouble()
        looks = len(seen.looks)
        with agent(tmp_path, *flags):
            found = seen.until(lambda found: len(seen.looks) > looks and gpus_work(found), "work of the next agent")
            assert "began anew" in found.note, "without a journal the counters begin at 0"
        assert not [one for one in seen.looks if one.snapshot.devices and one.at_s <= 0]


def test_counters_that_are_kept_go_on_over_a_restart(tmp_path: Path) -> None:
    port = free_port()
    state = tmp_path / "state"
    flags = ("--sensors", "fake:2", "--listen", f"127.0.0.1:{port}", "--state-dir", str(state))
    with watching(f"127.0.0.1:{port}") as seen:
        with agent(tmp_path, *flags):
            before = seen.until(gpus_work, "work")
        seen.until_trouble()
        looks = len(seen.looks)
        with agent(tmp_path, *flags):
            after = seen.until(lambda found: len(seen.looks) > looks and gpus_work(found), "work after the restart")
        assert not after.note
        assert before.total is not None
        assert after.total is not None
        assert after.total.sums.energy_uj >= before.total.sums.energy_uj


def test_another_service_is_no_agent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, watching(f"127.0.0.1:{server.getsockname()[1]}") as seen:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi\n")
            assert "no metrics of an aipower agent" in seen.until_trouble()


def test_one_that_accepts_and_never_answers_is_left_after_half_a_second() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/metrics"
        with watching(url) as seen:
            assert "not answer in time" in seen.until_trouble()


def test_choice_is_the_agent_where_one_answers(tmp_path: Path) -> None:
    with agent(tmp_path, "--sensors", "fake:1") as running:
        running.until_healthy()
        source = choose(
            Choice(f"http://{running.address}", no_agent=False, sensors=None, interval_s=1.0), SystemClock(), {}
        )
        source.stop()
        assert source.origin.kind == "agent"
        assert running.address in source.origin.title


def test_named_agent_that_is_not_there_is_an_error() -> None:
    choice = Choice(f"http://127.0.0.1:{free_port()}", no_agent=False, sensors=None, interval_s=1.0)
    with pytest.raises(AipowerError, match="Connection refused; without --url"):
        choose(choice, SystemClock(), {})


def test_contradictions_are_refused() -> None:
    with pytest.raises(UsageError):
        choose(Choice("http://x", no_agent=True, sensors=None, interval_s=1.0), SystemClock(), {})
    with pytest.raises(UsageError):
        choose(Choice("http://x", no_agent=False, sensors="fake", interval_s=1.0), SystemClock(), {})
    with pytest.raises(UsageError):
        choose(Choice(None, no_agent=False, sensors="nonsense", interval_s=1.0), SystemClock(), {})


def test_no_agent_measures_here() -> None:
    source = choose(Choice(None, no_agent=True, sensors="fake:2", interval_s=1.0), SystemClock(), {})
    assert source.origin.kind == "self"
