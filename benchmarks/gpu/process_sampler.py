"""6: whether the driver's process sampler is a fair coin: two processes that take turns, at different speeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from benchmarks.gpu.card import NOT_FOUND, CallFailedError
from benchmarks.gpu.seams import Bench, Experiment, LoadSpec, Outcome, Row

PERIODS_S = (0.002, 0.020, 0.083, 0.167, 0.500)
SECONDS = 40.0
SETTLE_S = 3.0
POLL_S = 0.05
"""Below the sampler's period (1/6 s by NVIDIA's documents), so that most answers rest on one sample."""
BLOCK_S = 2.0
"""The variance is that of the share over blocks of this length."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: rows of (pid, stamp in microseconds, per cent), and the device's own utilisation."""

    rows: tuple[tuple[int, int, int], ...]
    device_percent: int


@dataclass(frozen=True, slots=True)
class Fairness:
    """The share of the first of two processes, against independent samples that name one of them."""

    sample_period_s: float
    """Median time between stamps."""
    one_pid: float
    """The part of the answers that name one process only."""
    share: float
    """Of the first process in the work of both."""
    blocks: int
    variance: float
    """Of the share over the blocks."""
    binomial: float
    """What the variance would be for independent samples: share x (1 - share) / samples in a block."""
    ratio: float
    """Of the two; its standard error is `ratio_error`."""
    ratio_error: float
    sum_percent: float
    """Mean of the two processes' utilisation."""
    device_percent: float
    """Mean of the device's."""


def ask(bench: Bench, since_us: int) -> Answer:
    """The rows that are newer than `since_us`; none where nobody worked.

    Raises:
        CallFailedError: The GPU cannot say.
    """
    device_percent = int(bench.card.call("nvmlDeviceGetUtilizationRates").gpu)
    try:
        found = bench.card.call("nvmlDeviceGetProcessUtilization", since_us)
    except CallFailedError as error:
        if error.code != NOT_FOUND:
            raise
        found = ()
    rows = ((int(row.pid), int(row.timeStamp), int(row.smUtil)) for row in found)
    return Answer(tuple(row for row in rows if row[1] > since_us), device_percent)


def poll(bench: Bench, seconds: float) -> list[Answer]:
    """The answers of the next `seconds`, each newer than the one before.

    Raises:
        CallFailedError: As `ask`.
    """
    answers = []
    since_us = round(bench.clock.unix_s() * 1e6)
    end_s = bench.clock.now_s() + seconds
    while bench.clock.now_s() < end_s:
        bench.clock.sleep(POLL_S)
        answers.append(ask(bench, since_us))
        since_us = max((stamp_us for _, stamp_us, _ in answers[-1].rows), default=since_us)
    return answers


def busy(answers: Sequence[Answer], pids: Sequence[int]) -> list[tuple[float, float, dict[int, float]]]:
    """For each answer with rows but the first: stamp, seconds since the stamp before, busy seconds of each process."""
    found = []
    rowed = [answer.rows for answer in answers if answer.rows]
    for before, rows in pairwise(rowed):
        last_us, at_us = (max(stamp_us for _, stamp_us, _ in each) for each in (before, rows))
        span_s = (at_us - last_us) / 1e6
        found.append((at_us / 1e6, span_s, {pid: span_s * percent / 100 for pid, _, percent in rows if pid in pids}))
    return found


def shares(works: Sequence[tuple[float, float, dict[int, float]]], pid: int, block_s: float) -> list[float]:
    """The share of `pid` in the work of each block in which there was any."""
    blocks: dict[int, list[float]] = {}
    for at_s, _, parts in works:
        sums = blocks.setdefault(math.floor((at_s - works[0][0]) / block_s), [0.0, 0.0])
        sums[0] += parts.get(pid, 0.0)
        sums[1] += sum(parts.values())
    return [mine_s / all_s for mine_s, all_s in blocks.values() if all_s > 0]


def analyse(answers: Sequence[Answer], pids: tuple[int, int], block_s: float = BLOCK_S) -> Fairness | None:
    """What the answers say; None where they are too few."""
    works = busy(answers, pids)
    parts = shares(works, pids[0], block_s)
    if len(parts) < 3:
        return None
    period_s = statistics.median(span_s for _, span_s, _ in works)
    covered_s = sum(span_s for _, span_s, _ in works)
    mine_s = sum(work.get(pids[0], 0.0) for _, _, work in works)
    both_s = sum(sum(work.values()) for _, _, work in works)
    share = mine_s / both_s
    variance, binomial = statistics.variance(parts), share * (1 - share) / (block_s / period_s)
    ratio = variance / binomial if binomial > 0 else math.nan
    return Fairness(
        sample_period_s=period_s,
        one_pid=sum(len(work) == 1 for _, _, work in works) / len(works),
        share=share,
        blocks=len(parts),
        variance=variance,
        binomial=binomial,
        ratio=ratio,
        ratio_error=ratio * math.sqrt(2 / (len(parts) - 1)),
        sum_percent=100 * both_s / covered_s,
        device_percent=statistics.fmean(answer.device_percent for answer in answers),
    )


def collect(bench: Bench, period_s: float) -> Fairness | None:
    """Two processes that take turns, one half of the period each.

    Raises:
        SkipError: There are no loads.
        CallFailedError: The GPU cannot say who works.
    """
    loads = bench.need_loads()
    first, second = LoadSpec(period_s, 0.5, 0.0), LoadSpec(period_s, 0.5, period_s / 2)
    with loads.start(first) as one, loads.start(second) as other:
        bench.clock.sleep(SETTLE_S)
        return analyse(poll(bench, bench.seconds(SECONDS)), (one.pid, other.pid))


def words(found: Fairness | None) -> str:
    """The figures of one period."""
    if found is None:
        return "no samples of the two processes (are their pids those of the driver's namespace?)"
    return (
        f"sample {1e3 * found.sample_period_s:.0f} ms, one pid in {100 * found.one_pid:.0f} %, "
        f"share {found.share:.3f}, variance {found.ratio:.2f} +- {found.ratio_error:.2f} of binomial, "
        f"sum {found.sum_percent:.0f} % of device {found.device_percent:.0f} %"
    )


def run(bench: Bench) -> Outcome:
    """The whole experiment."""
    data: dict[str, object] = {}
    table: list[Row] = []
    for period_s in PERIODS_S:
        found = collect(bench, period_s)
        data[f"{1e3 * period_s:g}"] = found and asdict(found)
        table.append((f"two processes, {1e3 * period_s:g} ms for both", words(found)))
    return Outcome(data, table)


EXPERIMENT = Experiment("process-sampler", "6 Process sampler against the binomial law", run, 280)
