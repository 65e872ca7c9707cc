"""The pipe: found, closed, full, replaced, inherited."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import aipower
from aipower.phases.channel import MOST_OWED, VARIABLE, find, our_pipe
from phases.receiver import Receiver, Told


def enter_and_leave() -> None:
    with aipower.phase("train"):
        pass


def run(script: str, told: str, *, pass_fds: tuple[int, ...] = ()) -> None:
    environment = {**os.environ, VARIABLE: told}
    command = [sys.executable, "-c", f"import aipower\n{script}"]
    subprocess.run(command, env=environment, pass_fds=pass_fds, check=True, timeout=60)


ONE_PHASE = "with aipower.phase('script'): pass"


def test_a_command_with_the_inherited_descriptor(receiver: Receiver) -> None:
    run(ONE_PHASE, receiver.told(pid=999_999_999), pass_fds=(receiver.writing,))
    assert receiver.brief() == ["B script", "E"]


def test_a_command_without_it(receiver: Receiver) -> None:
    """As the ranks of torchrun, which close what they were not told to keep."""
    run(ONE_PHASE, receiver.told())
    assert receiver.brief() == ["B script", "E"]


def test_a_pipe_that_was_found_in_proc_is_passed_on_to_nobody(receiver: Receiver) -> None:
    channel = find(receiver.told(descriptor=receiver.writing))
    assert channel is not None
    script = f"{ONE_PHASE}\nimport os\nassert not any(os.get_inheritable(int(n)) for n in os.listdir('/proc/self/fd')"
    run(f"{script} if int(n) > 2 and os.path.exists('/proc/self/fd/' + n))", receiver.told())


def test_the_number_is_another_file(receiver: Receiver, tmp_path: Path) -> None:
    """`aipower-run` has gone, and its descriptor's number is a file of ours."""
    victim = tmp_path / "victim"
    with victim.open("wb") as file:
        told = receiver.told(pid=999_999_999, descriptor=file.fileno())
        assert find(told) is None
    assert victim.read_bytes() == b""


def test_another_run_has_the_pid(receiver: Receiver) -> None:
    other = Receiver()
    try:
        assert find(f"{os.getpid()}:{other.writing}:{receiver.inode}") is None
    finally:
        other.close()


@pytest.mark.parametrize(
    "told",
    ["", "1", "1:2", "a:b:c", "1:2:3:4", "-1:2:3", "1:99999999999999999999:3", "1:2:", "²:1:1", "\x00:1:1", "0:0:0"],
)
def test_words_that_lead_nowhere(told: str) -> None:
    assert find(told) is None


def test_a_file_with_a_name_is_no_pipe(tmp_path: Path) -> None:
    with tempfile.TemporaryFile(dir=tmp_path) as file:
        status = os.fstat(file.fileno())
        assert find(f"{os.getpid()}:{file.fileno()}:{status.st_ino}") is None


@pytest.fixture
def lost_descriptor(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """A channel by a descriptor that a call closes, while the one in /proc stays; the call gives its number."""
    copy = os.dup(receiver.writing)
    monkeypatch.setenv(VARIABLE, receiver.told(descriptor=copy))
    our_pipe.cache_clear()
    channel = our_pipe()
    assert channel is not None
    channel._path = f"/proc/{os.getpid()}/fd/{receiver.writing}"  # that of another process, in real life

    def close() -> int:
        os.close(copy)
        return copy

    return close


def test_the_program_closes_our_descriptor(receiver: Receiver, lost_descriptor: Callable[[], int]) -> None:
    enter_and_leave()
    lost_descriptor()
    enter_and_leave()
    assert receiver.brief() == ["B train", "E"] * 2


def test_the_program_uses_its_number_again(
    receiver: Receiver, lost_descriptor: Callable[[], int], tmp_path: Path
) -> None:
    enter_and_leave()
    number = lost_descriptor()
    victim = tmp_path / "victim"
    file = os.open(victim, os.O_RDWR | os.O_CREAT)
    assert file == number  # the lowest free one
    enter_and_leave()
    os.close(file)
    assert victim.read_bytes() == b""
    assert receiver.brief() == ["B train", "E"] * 2


def test_the_number_is_another_pipe(receiver: Receiver, lost_descriptor: Callable[[], int]) -> None:
    enter_and_leave()
    number = lost_descriptor()
    other = Receiver()
    assert number in {other.reading, other.writing}
    enter_and_leave()
    assert other.raw() == b""
    other.close()
    assert receiver.brief() == ["B train", "E"] * 2


def test_all_descriptors_closed_for_good(receiver: Receiver) -> None:
    enter_and_leave()
    assert receiver.brief() == ["B train", "E"]
    os.close(receiver.writing)
    enter_and_leave()
    aipower.step()
    channel = our_pipe()
    assert channel is not None
    assert channel.lost > 0


def test_a_full_pipe_drops_and_tells(receiver: Receiver) -> None:
    receiver.fill()
    enter_and_leave()
    aipower.step()
    assert b" " not in receiver.raw()
    aipower.step(5)
    lost, step = receiver.messages()
    assert (lost.kind, lost.span, lost.rest) == ("L", 0, ("lost", "2"))
    assert (step.kind, step.rest) == ("W", ("steps", "5.0"))


def test_the_end_of_a_phase_is_told_later(receiver: Receiver) -> None:
    with aipower.phase("long"):
        begun = receiver.messages()[0]
        receiver.fill()
    receiver.raw()
    aipower.step()
    ended, step = receiver.messages()
    assert (ended.kind, ended.span) == ("E", begun.span)
    assert ended.at_ns <= step.at_ns
    assert step.span == 0


def test_within_a_phase_that_was_lost_the_outer_one_counts(receiver: Receiver) -> None:
    with aipower.phase("outer"):
        outer = receiver.messages()[0]
        receiver.fill()
        with aipower.phase("lost"):
            receiver.raw()
            with aipower.phase("inner"):
                aipower.step()
    told = [message for message in receiver.messages() if message.kind != "L"]
    assert [(message.kind, message.rest[:1]) for message in told] == [
        ("B", (str(outer.span),)), ("W", ("steps",)), ("E", ()), ("E", ()),
    ]  # fmt: skip
    assert told[-1].span == outer.span


def test_threads_and_a_reader_that_cannot_keep_up(receiver: Receiver) -> None:
    """Whatever is lost, every phase of which the begin was told ends once, and all losses are told."""
    threads_, phases = 4, 3000
    told: list[Told] = []

    def work() -> None:
        for _ in range(phases):
            with aipower.phase("outer"), aipower.phase("inner"):
                aipower.step()

    threads = [threading.Thread(target=work) for _ in range(threads_)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.05)
        told += receiver.messages()
    told += receiver.messages()
    aipower.step()
    told += receiver.messages()
    begun = [message.span for message in told if message.kind == "B"]
    assert sorted(message.span for message in told if message.kind == "E") == sorted(begun)
    steps = sum(message.kind == "W" for message in told)
    lost = max((int(message.rest[1]) for message in told if message.kind == "L"), default=0)
    missing = 2 * threads_ * phases - len(begun) + threads_ * phases + 1 - steps
    assert missing > 0, "the reader was too fast for this test"
    assert 0.9 * missing <= lost <= missing  # losses of several threads at the same instant may count as one


def test_no_end_of_waiting_fills_the_memory(receiver: Receiver) -> None:
    opened = [aipower.phase(str(number)) for number in range(MOST_OWED + 10)]
    for phase in opened:
        phase.__enter__()
    receiver.raw()
    receiver.fill()
    for phase in reversed(opened):
        phase.__exit__()
    receiver.raw()
    aipower.step()
    told = receiver.messages()
    assert sum(message.kind == "E" for message in told) == MOST_OWED
    assert [message.rest for message in told if message.kind == "L"] == [("lost", "10")]


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_tell_what_its_parent_lost(receiver: Receiver) -> None:
    with aipower.phase("long"):
        receiver.raw()
        receiver.fill()
        aipower.step()
    child = os.fork()
    if child == 0:
        receiver.raw()
        aipower.step(7)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert receiver.brief() == ["W steps 7.0"]


def test_a_dead_run_costs_nothing_but_the_pipes_size(receiver: Receiver) -> None:
    """The pipe that we hold ourselves never breaks: no SIGPIPE, no block, no error."""
    os.close(receiver.reading)
    receiver.reading = os.open(os.devnull, os.O_RDONLY)
    for _ in range(3000):
        enter_and_leave()
    channel = our_pipe()
    assert channel is not None
    assert channel.lost > 0


def test_in_a_signal_handler(receiver: Receiver) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: enter_and_leave())
    try:
        with aipower.phase("main"):
            os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    told = receiver.messages()
    assert [message.kind for message in told] == ["B", "B", "E", "E"]
    assert told[1].rest == (str(told[0].span), "train")


def test_while_the_interpreter_goes_down(receiver: Receiver) -> None:
    script = """
import atexit
class Late:
    def __init__(self): self.phase = aipower.phase
    def __del__(self):
        with self.phase('late'): pass
late = Late()
late.self = late
atexit.register(lambda: aipower.step())
with aipower.phase('main'): pass
"""
    run(script, receiver.told())
    assert [line for line in receiver.brief() if line[0] in "WB"][:2] == ["B main", "W steps 1.0"]


def test_a_script_that_closes_everything(receiver: Receiver, tmp_path: Path) -> None:
    """As a daemon does; its next files get the numbers."""
    script = f"""
import os
with aipower.phase('before'): pass
os.closerange(3, 256)
files = [os.open({str(tmp_path / "victim")!r}, os.O_RDWR | os.O_CREAT) for _ in range(20)]
with aipower.phase('after'): pass
os.closerange(3, 256)
with aipower.phase('again'): pass
"""
    run(script, receiver.told(), pass_fds=(receiver.writing,))
    assert receiver.brief() == ["B before", "E", "B after", "E", "B again", "E"]
    assert (tmp_path / "victim").read_bytes() == b""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(receiver: Receiver, method: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import aipower, multiprocessing\n"
        "def work(n):\n    with aipower.phase('worker'): aipower.step(n)\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(2) as pool, aipower.phase('main'):\n"
        "        pool.map(work, range(1, 9))\n"
    )
    environment = {**os.environ, VARIABLE: receiver.told()}
    subprocess.run([sys.executable, str(program)], env=environment, check=True, timeout=100)
    told = receiver.messages()
    begun = {(m.pid, m.span): m.rest for m in told if m.kind == "B"}
    assert sorted(begun.values()) == [("0", "main"), *[("0", "worker")] * 8]
    assert {(m.pid, m.span) for m in told if m.kind == "E"} == set(begun)
    assert sum(float(m.rest[1]) for m in told if m.kind == "W") == 36
