"""Throws rubbish at the agent's Unix socket and looks whether it still measures runs.

    python -m benchmarks.fuzz.socket_protocol --inputs 100000

Starts its own agent with simulated sensors and ends it. Prints inputs per second, what was answered, and the agent's
memory and descriptors before and after; exits with 1 if the agent died, hung or wrote a traceback.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.fuzz.agent import Agent, agent

WORDS = [b"open", b"start", b"end", b"runs", b"read", b"do", b"pid", b"started_s", b"name", b"command", b"ignore"]
SEEDS = [
    b'{"do": "open", "name": "x"}',
    b'{"do": "start", "pid": 1, "started_s": 1.5, "ignore": [2]}',
    b'{"do":"end","ended_s":1,"started_unix_s":1,"exit_code":0,"cpu_s":0,"max_rss_bytes":0,"survivors":0,"command":[]}',
    b'{"do": "runs"}',
    b'{"do": "read", "run": "x"}',
]
PATIENCE_S = 20.0


def mutated(rng: random.Random) -> bytes:
    """A request with some bytes changed, a few requests in a row, or plain noise."""
    kind = rng.random()
    if kind < 0.15:
        return rng.randbytes(rng.randrange(200))
    line = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randrange(6)):
        place = rng.randrange(len(line) + 1)
        line[place : place + rng.randrange(4)] = rng.choice(
            [rng.randbytes(rng.randrange(5)), rng.choice(WORDS), b"-1", b"1e999", b"null", b"[[", b'"', b"\\ud800"]
        )
    if kind < 0.3:
        return bytes(line)  # without its end
    return bytes(line) + b"\n" + (rng.choice(SEEDS) + b"\n" if kind > 0.85 else b"")


def throw(path: str, data: bytes) -> str:
    """What came back of one connection: a word."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE_S)
        try:
            connection.connect(path)
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        except TimeoutError:
            return "HANG"
        except OSError as error:
            return type(error).__name__
    if not answer:
        return "hung up"
    return "answered" if json.loads(answer.partition(b"\n")[0])["ok"] else "refused"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, agent(Path(folder)) as running:
        return fuzz(running, arguments.inputs, random.Random(arguments.seed))


def fuzz(running: Agent, inputs: int, rng: random.Random) -> int:
    path, seen, began_s = str(running.socket), Counter[str](), time.monotonic()
    print("before", running.cost())
    for _ in range(inputs):
        seen[throw(path, mutated(rng))] += 1
        if not running.alive():
            break
    spent_s = time.monotonic() - began_s
    print(f"{inputs} inputs, {inputs / spent_s:.0f} per second: {dict(seen)}")
    print("after ", running.cost())
    fine = running.alive() and not seen["HANG"] and "Traceback" not in running.log() and throw(path, SEEDS[3] + b"\n")
    print("alive and answering" if fine == "answered" else f"BROKEN: {running.log()[-2000:]}")
    return 0 if fine == "answered" else 1


if __name__ == "__main__":
    sys.exit(main())
