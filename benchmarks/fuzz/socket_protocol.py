"""Throws rubbish at the agent's Unix socket and looks whether it still measures runs."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.fuzz.agent import Agent, agent
from benchmarks.fuzz.outcome import Outcome

WORDS = [
    b"open",
    b"start",
    b"end",
    b"runs",
    b"read",
    b"mark",
    b"lines",
    b"metrics",
    b"footprint",
    b"do",
    b"pid",
    b"started_s",
    b"name",
    b"command",
    b"ignore",
]
OPEN = b'{"do": "open", "name": "x"}'
RUNS = b'{"do": "runs"}'
MARK = b'{"do": "mark", "lines": "B 1 2 3 0 train\\nW 2 2 3 tokens 5.0\\nE 3 2 3\\nM 4 2 0 loss 0.1\\n"}'
END = (
    b'{"do":"end","ended_s":1e9,"started_unix_s":1,"exit_code":0,"cpu_s":0,"max_rss_bytes":0,"survivors":0,'
    b'"command":["a", "b"],"verbose":true}'
)
PIECES = [b"-1", b"1e999", b"null", b"[[", b'"', b"\\ud800", b"1e18", b"4194304", b"\n", b"{}", b"true"]
PATIENCE_S = 20.0
CHECK_EACH = 1000
CONVERSATION = 0.1
"""Share of inputs that begin well: an opened run, and often a started one, are what rubbish comes after."""


def fuzz(inputs: int, seed: int) -> Outcome:
    """What an agent of its own made of `inputs` connections."""
    dice, outcome = random.Random(seed), Outcome()
    with tempfile.TemporaryDirectory() as folder, agent(Path(folder)) as running, _child() as pid:
        start = b'{"do": "start", "pid": %d, "started_s": %.3f, "ignore": [2]}' % (pid, time.monotonic())
        seeds = (OPEN, start, MARK, END, RUNS, b'{"do": "read", "run": "x"}')
        outcome.notes.append(f"before: {running.cost()}")
        for number in range(inputs):
            data = conversation(dice, seeds) if dice.random() < CONVERSATION else mutated(dice, seeds)
            word = throw(str(running.socket), data)
            outcome.answers[word] += 1
            if word in {"hang", "nonsense"}:
                outcome.findings.append(f"{word}: {data!r}")
            if number % CHECK_EACH == 0:
                outcome.findings += trouble(running)
            if outcome.hopeless:
                break
        outcome.findings += trouble(running)
        outcome.notes.append(f"after:  {running.cost()}")
    return outcome


def trouble(running: Agent) -> list[str]:
    """What is wrong with the agent."""
    if not running.alive():
        return [f"it has ended: {running.log()[-2000:]}"]
    if "Traceback" in running.log():
        return [f"a traceback: {running.log()[:4000]}"]
    answer = throw(str(running.socket), RUNS + b"\n")
    return [] if answer == "answered" else [f"it does not answer any more: {answer}"]


def mutated(dice: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A request with some bytes changed, a few requests in a row, or plain noise."""
    kind = dice.random()
    if kind < 0.15:
        return dice.randbytes(dice.randrange(200))
    line = _changed(dice, dice.choice(seeds))
    if kind < 0.3:
        return line  # without its end
    return line + b"\n" + (dice.choice(seeds) + b"\n" if kind > 0.85 else b"")


def conversation(dice: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A run that is opened, perhaps started, and then anything."""
    lines = [seeds[0], *([seeds[1]] if dice.random() < 0.7 else [])]
    lines += [_changed(dice, dice.choice(seeds[1:])) for _ in range(dice.randrange(3))]
    return b"\n".join(lines) + (b"\n" if dice.random() < 0.9 else b"")


def _changed(dice: random.Random, seed: bytes) -> bytes:
    line = bytearray(seed)
    for _ in range(dice.randrange(6)):
        place = dice.randrange(len(line) + 1)
        noise = dice.randbytes(dice.randrange(5))
        line[place : place + dice.randrange(4)] = dice.choice([noise, dice.choice(WORDS), dice.choice(PIECES)])
    return bytes(line)


def throw(path: str, data: bytes) -> str:
    """What came back of one connection: a word."""
    answer = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE_S)
        try:
            connection.connect(path)
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                answer += chunk
        except TimeoutError:
            return "hang"
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may hang up on what it does not want to hear to the end
        except OSError as error:
            return type(error).__name__
    return _word(answer)


def _word(answer: bytes) -> str:
    if not answer:
        return "hung up"
    try:
        header = json.loads(answer.partition(b"\n")[0])
        return "answered" if header["ok"] else "refused"
    except (ValueError, KeyError, TypeError):
        return "nonsense"


@contextmanager
def _child() -> Iterator[int]:
    """The pid of a child that can be measured."""
    process = subprocess.Popen(["sleep", "100000"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()
