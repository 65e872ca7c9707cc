"""5: the driver's buffers of old samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from benchmarks.gpu.card import MEMBERS, CallFailedError
from benchmarks.gpu.figures import Spread, spread
from benchmarks.gpu.seams import Bench, Experiment, Outcome, Row

BUFFERS = {"total power": 0, "GPU utilisation": 1, "memory utilisation": 2, "module power": 7}
"""nvmlSamplingType_t, nvml.h."""
WAIT_S = 3.0
"""Until buffers hold something new."""

Sample = tuple[int, float]
"""Microseconds since 1970, and the value."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """What one buffer holds."""

    count: int
    duration_s: float
    spacing_s: Spread | None
    repeated: int
    """Samples with the stamp of the one before."""
    value: Spread | None
    fresh: int
    """Samples newer than the last of the first question, three seconds later."""


def ask(bench: Bench, kind: int, since_us: int) -> list[Sample]:
    """The samples that are newer than `since_us`.

    Raises:
        CallFailedError: The GPU has no such buffer, or it holds nothing.
    """
    value_type, samples = bench.card.call("nvmlDeviceGetSamples", kind, since_us)
    member = MEMBERS[value_type]
    return sorted((int(one.timeStamp), float(getattr(one.sampleValue, member))) for one in samples)


def analyse(samples: Sequence[Sample], later: Sequence[Sample]) -> Buffer:
    """Count and spacing of the samples of the first question, and how many came until the second."""
    stamps_us = [stamp_us for stamp_us, _ in samples]
    gaps_us = [after - before for before, after in pairwise(stamps_us)]
    last_us = stamps_us[-1] if stamps_us else 0
    return Buffer(
        count=len(samples),
        duration_s=(last_us - stamps_us[0]) / 1e6 if stamps_us else 0.0,
        spacing_s=spread([gap_us / 1e6 for gap_us in gaps_us if gap_us > 0]),
        repeated=gaps_us.count(0),
        value=spread([value for _, value in samples]),
        fresh=sum(stamp_us > last_us for stamp_us, _ in later),
    )


def row(name: str, found: Buffer) -> Row:
    """The figures of one buffer."""
    spacing = "?" if found.spacing_s is None else f"{found.spacing_s.milli()} ms"
    count = f"{found.count} samples over {found.duration_s:.2f} s"
    return name, f"{count}, spacing {spacing}; {found.fresh} new after {WAIT_S:.0f} s"


def run(bench: Bench) -> Outcome:
    """The whole experiment."""
    data: dict[str, object] = {}
    table: list[Row] = []
    for name, kind in BUFFERS.items():
        try:
            samples = ask(bench, kind, 0)
            bench.clock.sleep(WAIT_S)
            found = analyse(samples, ask(bench, kind, 0))
        except CallFailedError as error:
            data[name] = {"unavailable": str(error)}
            table.append((name, f"not available: {error}"))
            continue
        data[name] = asdict(found)
        table.append(row(name, found))
    return Outcome(data, table)


EXPERIMENT = Experiment("samples", "5 Buffers of old samples: count and spacing", run, 12)
