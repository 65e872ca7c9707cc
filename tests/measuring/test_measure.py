"""`aipower.measure`: what it tells, and that it leaves the program as it was."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import aipower
from aipower.errors import AipowerError, UsageError
from aipower.phases.hub import HUB

BURN = "import time\nend = time.process_time() + %s\nwhile time.process_time() < end: pass"


def burn(cpu_s: float) -> None:
    end_s = time.process_time() + cpu_s
    while time.process_time() < end_s:
        pass


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No RAPL, whatever this machine has."""
    monkeypatch.setenv("AIPOWER_POWERCAP_ROOT", str(tmp_path / "none"))


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Threads, descriptors and handlers are as before."""
    aipower.measure(sensors="fake").__enter__().__exit__(None)  # what is imported late opens nothing later
    before = _surroundings()
    yield
    deadline_s = time.monotonic() + 10
    while not _clean(before, _surroundings()) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert _clean(before, _surroundings()), (before, _surroundings())
    assert HUB.sinks == []


Surroundings = tuple[set[str], int, list[object]]


def _clean(before: Surroundings, now: Surroundings) -> bool:
    """Servers of other tests may close connections meanwhile."""
    return now[0] == before[0] and now[1] <= before[1] and now[2] == before[2]


def _surroundings() -> Surroundings:
    threads = {thread.name for thread in threading.enumerate() if thread.name.startswith("aipower")}
    handlers: list[object] = [
        signal.getsignal(number) for number in signal.valid_signals() - {signal.SIGALRM}
    ]  # pytest's own
    return threads, len(os.listdir("/proc/self/fd")), handlers  # noqa: PTH208 - as many as there are


def test_what_is_told() -> None:
    with aipower.measure("block", sensors="fake") as m:
        time.sleep(0.3)
    assert m.energy_j is not None
    assert m.interval_j is not None
    assert m.interval_j[0] <= m.energy_j <= m.interval_j[1]
    assert m.repeatable_interval_j is not None
    parts_j = [m.gpu_j, m.cpu_j, m.dram_j]
    assert None not in parts_j
    assert sum(part_j or 0.0 for part_j in parts_j) == pytest.approx(m.energy_j)
    assert 0.3 <= m.wall_s < 5
    assert m.why == ""
    record = m.record
    assert (record.name, record.exit_code, record.measured_by) == ("block", 0, "aipower.measure")
    assert record.simulated
    assert record.complete
    assert "[block]" in m.report()
    assert "J in" in repr(m)


def test_what_is_not_measured_is_none_and_why() -> None:
    with aipower.measure(sensors="auto") as m:
        pass
    if m.gpu_j is None:
        assert "GPU (NVML)" in m.why
    assert m.cpu_j is None
    assert "CPU (RAPL)" in m.why


def test_a_sensor_that_was_named_and_is_missing() -> None:
    with pytest.raises(AipowerError, match="--sensors rapl"), aipower.measure(sensors="rapl"):
        pytest.fail("the block must not run")


def test_nothing_is_known_before_the_end() -> None:
    m = aipower.measure(sensors="fake")
    assert "not begun" in repr(m)
    with m:
        assert "going on" in repr(m)
        with pytest.raises(RuntimeError, match="before the end"):
            m.energy_j  # noqa: B018
    assert m.wall_s >= 0


def test_an_error_passes_through_and_the_block_is_told() -> None:
    m = aipower.measure(sensors="fake")

    @m
    def fail() -> None:
        time.sleep(0.15)
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert m.record.exit_code == 1
    assert m.energy_j is not None


def children() -> set[int]:
    """Those of other tests, as a browser that a whole session shares, and our own."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


def test_cpu_time_of_before_does_not_count() -> None:
    burn(0.4)
    with subprocess.Popen([sys.executable, "-c", f"{BURN % 0.4}\ninput()"], stdin=subprocess.PIPE) as child:
        stat = Path(f"/proc/{child.pid}/stat")
        deadline_s = time.monotonic() + 60
        while sum(map(int, stat.read_text().split()[13:15])) < 0.4 * os.sysconf("SC_CLK_TCK"):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        others = children()
        with aipower.measure(sensors="fake") as m:
            time.sleep(0.3)
        assert m.record.cpu_time_s < 0.3
        assert {process.pid for process in m.record.processes} <= {os.getpid()} | others
        child.communicate(b"\n")


def test_children_count_and_are_left_to_the_program() -> None:
    with aipower.measure(sensors="fake") as m:
        child = subprocess.Popen([sys.executable, "-c", f"{BURN % 0.5}\nraise SystemExit(7)"])
        assert child.wait() == 7
    assert 0.45 < m.record.cpu_time_s < 5


def test_a_child_that_ended_in_the_block_can_be_waited_for_after_it() -> None:
    with aipower.measure(sensors="fake"):
        child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(5)"])
        time.sleep(0.2)
    assert child.wait() == 5


def test_own_cpu_time() -> None:
    others = children()
    with aipower.measure(sensors="fake") as m:
        burn(0.5)
    assert 0.45 < m.record.cpu_time_s < 5
    assert {process.pid for process in m.record.processes} - others == {os.getpid()}


def test_decorator() -> None:
    m = aipower.measure("call", sensors="fake")

    @m
    def double(value: int) -> int:
        return 2 * value

    assert double(4) == 8
    first = m.record
    assert double(5) == 10
    assert m.record.run_id != first.run_id


def test_within_itself() -> None:
    m = aipower.measure(sensors="fake")
    with m:
        with m:
            time.sleep(0.01)
        inner_s = m.wall_s
        time.sleep(0.2)
    assert m.wall_s > inner_s + 0.2


def test_async() -> None:
    async def main() -> aipower.Measure:
        async with aipower.measure(sensors="fake") as m:
            await asyncio.sleep(0.05)
        return m

    assert asyncio.run(main()).wall_s >= 0.05


def test_in_a_thread() -> None:
    found: list[aipower.Measure] = []

    def work() -> None:
        with aipower.measure(sensors="fake") as m:
            time.sleep(0.15)
        found.append(m)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [m.record.complete for m in found] == [True] * 4
    assert len({m.record.run_id for m in found}) == 4


def test_one_object_in_several_threads_at_once() -> None:
    """Each ends its own: the short block is not that of the long one, whoever began first."""
    shared = aipower.measure(sensors="fake")
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        with shared:
            begun.set()
            go_on.wait(60)
            time.sleep(0.4)

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(60)
    with shared:
        pass
    short_s = shared.wall_s
    go_on.set()
    thread.join()
    assert shared.wall_s >= short_s + 0.4


def test_tasks_that_take_turns() -> None:
    shared = aipower.measure(sensors="fake")

    async def work(wall_s: float) -> float:
        async with shared:
            await asyncio.sleep(wall_s)
        return shared.wall_s

    async def main() -> tuple[float, float]:
        return await asyncio.gather(work(0.8), work(0.1))

    long_s, short_s = asyncio.run(main())
    assert long_s >= 0.8
    assert long_s > short_s + 0.3


def test_an_interrupt_while_it_begins() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), aipower.measure(sensors="fake", sync=interrupt):
        pytest.fail("the block must not run")


def test_the_gpu_is_waited_for_at_both_ends() -> None:
    waits: list[float] = []
    with aipower.measure(sensors="fake", sync=lambda: waits.append(time.monotonic())) as m:
        entered_s = time.monotonic()
    assert len(waits) == 2
    assert waits[0] <= entered_s <= waits[1]
    assert m.wall_s >= waits[1] - entered_s


def test_kept_among_the_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIPOWER_RUNS_DIR", str(tmp_path / "runs"))
    with aipower.measure("kept", sensors="fake") as m:
        pass
    assert m.save() == tmp_path / "runs" / f"{m.record.run_id}.json"
    assert m.save().is_file()


def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with aipower.measure(sensors="fake") as m:
        pass
    monkeypatch.undo()
    assert m.energy_j is None
    assert "can't start new thread" in m.why


@pytest.mark.parametrize("interval_s", [0.0, -1.0, float("nan"), 61.0])
def test_an_interval_that_makes_no_sense(interval_s: float) -> None:
    with pytest.raises(UsageError, match="interval_s="):
        aipower.measure(interval_s=interval_s)


def test_sensors_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match='unknown sensor "nvlm"'):
        aipower.measure(sensors="nvlm")
    with pytest.raises(TypeError, match="sync must be one of"):
        aipower.measure(sync="tensorflow")  # type: ignore[arg-type]


def test_a_call_that_never_lets_other_threads_run() -> None:
    """The measurement has begun before the block does: otherwise its thread would start after all is over."""
    with aipower.measure(sensors="fake") as m:
        before_s = time.process_time()
        sum(range(40_000_000))
        spent_s = time.process_time() - before_s
    # Servers that other tests have started are ours too.
    (process,) = (process for process in m.record.processes if process.pid == os.getpid())
    assert process.cpu_time_s == pytest.approx(spent_s, abs=0.15, rel=0.2)
