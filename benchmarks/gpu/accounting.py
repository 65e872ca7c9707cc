"""10: what is left of short processes: in the driver's accounts and in its samples. It switches nothing on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.gpu.card import FUNCTION_NOT_FOUND, CallFailedError
from benchmarks.gpu.loads import environment
from benchmarks.gpu.process_sampler import Answer, ask, busy
from benchmarks.gpu.seams import Bench, Experiment, Outcome, Row, SkipError

PROCESSES, LENGTH_S = 100, 0.1
POLL_S = 0.1
LIMIT_S = 400.0


@dataclass(frozen=True, slots=True)
class Life:
    """A short process: its pid and the seconds that the engines had its work."""

    pid: int
    busy_s: float


@dataclass(frozen=True, slots=True)
class Remains:
    """What the driver knew of the short processes."""

    processes: int
    busy_s: float
    """Of all, by CUDA events."""
    sampled: int
    """Those that any sample named."""
    sampled_busy_s: float
    accounted: int | None
    """Those in the driver's accounts afterwards; None where accounting is off."""


def support(bench: Bench) -> dict[str, object]:
    """Accounting's mode and buffer size, and whether its second version is there: "yes" or why not."""
    found: dict[str, object] = {}
    for name, function in (
        ("mode", "nvmlDeviceGetAccountingMode"),
        ("buffer", "nvmlDeviceGetAccountingBufferSize"),
    ):
        try:
            found[name] = int(bench.card.call(function))
        except CallFailedError as error:
            found[name] = str(error)
    try:
        bench.card.call("nvmlDeviceGetAccountingStats_v2", os.getpid())
        found["version 2"] = "yes"
    except CallFailedError as error:
        found["version 2"] = f"no: {error}" if error.code == FUNCTION_NOT_FOUND else f"the call exists: {error}"
    return found


@contextmanager
def churn(uuid: str, output: Path, count: int, length_s: float) -> Iterator[subprocess.Popen[bytes]]:
    """The program of short processes, ended by its pid."""
    argv = [sys.executable, "-m", "benchmarks.gpu.churn", str(count), str(length_s)]
    with output.open("wb") as stream:
        process = subprocess.Popen(argv, env=environment(uuid), stdout=stream)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def lives(text: str) -> list[Life]:
    """What the short processes said.

    Raises:
        SkipError: One of them could not work.
    """
    said: list[Mapping[str, object]] = [json.loads(line) for line in text.splitlines()]
    for words in said:
        if "error" in words:
            raise SkipError(f"the short processes do not run: {words['error']}")
    return [Life(int(str(words["pid"])), float(str(words["busy_s"]))) for words in said]


def collect(bench: Bench) -> tuple[list[Life], list[Answer]]:
    """The short processes and the sampler's answers while they came and went."""
    count = max(10, round(bench.seconds(PROCESSES)))
    answers: list[Answer] = []
    since_us = round(bench.clock.unix_s() * 1e6)
    end_s = bench.clock.now_s() + LIMIT_S
    with TemporaryDirectory() as folder:
        output = Path(folder) / "lives"
        with churn(bench.card.text("nvmlDeviceGetUUID"), output, count, LENGTH_S) as process:
            while process.poll() is None and bench.clock.now_s() < end_s:
                bench.clock.sleep(POLL_S)
                answers.append(ask(bench, since_us))
                since_us = max((stamp_us for _, stamp_us, _ in answers[-1].rows), default=since_us)
        return lives(output.read_text()), answers


def accounted(bench: Bench, short: Sequence[Life]) -> int | None:
    """How many of the processes the driver's accounts hold; None where they hold nothing."""
    try:
        if int(bench.card.call("nvmlDeviceGetAccountingMode")) == 0:
            return None
        pids = set(bench.card.call("nvmlDeviceGetAccountingPids"))
    except CallFailedError:
        return None
    return sum(life.pid in pids for life in short)


def analyse(short: Sequence[Life], answers: Sequence[Answer], in_accounts: int | None) -> Remains:
    """How many were seen, and how much of their work."""
    pids = [life.pid for life in short]
    named = {pid for answer in answers for pid, _, percent in answer.rows if percent > 0}
    sampled_s = sum(sum(work.values()) for _, _, work in busy(answers, pids))
    return Remains(
        len(short), sum(life.busy_s for life in short), len(named.intersection(pids)), sampled_s, in_accounts
    )


def run(bench: Bench) -> Outcome:
    """The whole experiment; without torch only what is supported."""
    known = support(bench)
    data: dict[str, object] = {"support": known}
    table: list[Row] = [(f"accounting: {name}", str(value)) for name, value in known.items()]
    if bench.loads.missing:
        return Outcome(data, [*table, ("short processes", bench.loads.missing)])
    short, answers = collect(bench)
    found = analyse(short, answers, accounted(bench, short))
    data["remains"] = asdict(found)
    in_accounts = "accounting is off" if found.accounted is None else f"{found.accounted} in the accounts"
    table.append(
        (
            f"{found.processes} processes of {1e3 * LENGTH_S:.0f} ms",
            f"{found.sampled} named by samples, {found.sampled_busy_s:.2f} s of {found.busy_s:.2f} s; {in_accounts}",
        )
    )
    return Outcome(data, table)


EXPERIMENT = Experiment("accounting", "10 Short processes in accounts and samples", run, 90)
