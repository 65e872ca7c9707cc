"""11: two jobs alone and together: does `aipower-run` give each the energy that its work costs alone?"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.gpu.figures import per_cent
from benchmarks.gpu.loads import last_report
from benchmarks.gpu.product import product_environment, require_aipower, run_argv
from benchmarks.gpu.seams import STEADY, Bench, Experiment, LoadReport, LoadSpec, Outcome, Row, SkipError

SECONDS = 60.0
START_S = 30.0
"""Loading torch takes up to so long; then both begin."""
LIMIT_S = 120.0
JOBS: dict[str, LoadSpec] = {"A": STEADY, "B": LoadSpec(period_s=0.5, duty=0.5, work="memory")}
"""Unlike in power: products of matrices all the time, copies of memory half of the time."""


@dataclass(frozen=True, slots=True)
class Metered:
    """One job as aipower-run saw it, and what it did by its own account."""

    run_j: float
    interval_j: tuple[float, float]
    device_j: float
    idle_j: float
    report: LoadReport

    @property
    def unit_j(self) -> float:
        """Energy of one unit of its work."""
        return self.run_j / max(1, self.report.products)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One job of the pair against itself alone."""

    expected_j: float
    """Its units of work together, at the energy that a unit took alone."""
    attributed_j: float
    error: float
    """Attributed over expected, minus one."""
    in_interval: bool
    """Whether the interval that aipower printed holds what was expected."""


def metered(record: Mapping[str, object], output: str) -> Metered:
    """One run's record.

    Raises:
        SkipError: It holds no energy of a GPU for the run.
    """
    devices = record.get("devices")
    every = devices if isinstance(devices, list) else []
    rows = [row for row in every if row["kind"] == "gpu" and row["run_energy_j"] is not None]
    if not rows:
        raise SkipError("aipower-run gave the job no energy of the GPU (see its record for the reason)")
    row = max(rows, key=lambda one: float(one["run_energy_j"]))
    low_j, high_j = row["run_interval_j"] or (row["run_energy_j"], row["run_energy_j"])
    return Metered(row["run_energy_j"], (low_j, high_j), row["energy_j"], row["idle_j"], last_report(output))


def collect(bench: Bench, names: Sequence[str], folder: Path, start_s: float = START_S) -> dict[str, Metered]:
    """The jobs `names`, each under an `aipower-run` of its own, all at once.

    Raises:
        SkipError: A job failed.
    """
    start_at_s, seconds = bench.clock.now_s() + start_s, bench.seconds(SECONDS)
    env = product_environment(bench.card.text("nvmlDeviceGetUUID"))
    children = {}
    outputs: dict[str, str] = {}
    try:
        for name in names:
            load = [*bench.loads.argv, "--spec", json.dumps(asdict(JOBS[name]))]
            command = [*load, "--seconds", str(seconds), "--start-at", str(start_at_s)]
            argv = run_argv(folder / f"{name}.json", command)
            children[name] = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True)
        for name, child in children.items():
            outputs[name], _ = child.communicate(timeout=start_s + seconds + LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise SkipError(f"a job did not end: {error}") from error
    finally:
        for child in children.values():
            child.terminate()
            child.communicate()
    if any(child.returncode for child in children.values()):
        raise SkipError(f"a job failed: {outputs}")
    return {name: metered(json.loads((folder / f"{name}.json").read_text()), outputs[name]) for name in names}


def judge(alone: Metered, together: Metered) -> Verdict:
    """What the job got together, against what its work took alone."""
    expected_j = alone.unit_j * together.report.products
    low_j, high_j = together.interval_j
    error = together.run_j / expected_j - 1 if expected_j else float("nan")
    return Verdict(expected_j, together.run_j, error, low_j <= expected_j <= high_j)


def words(verdict: Verdict) -> str:
    """The figures of one job."""
    holds = "holds" if verdict.in_interval else "does not hold"
    return (
        f"{verdict.attributed_j:.0f} J, by its work alone {verdict.expected_j:.0f} J: {per_cent(verdict.error)}; "
        f"the printed interval {holds} that"
    )


def run(bench: Bench) -> Outcome:
    """The whole experiment.

    Raises:
        SkipError: There are no loads, or aipower cannot run here.
    """
    bench.need_loads()
    require_aipower()
    with TemporaryDirectory() as name:
        alone = {job: collect(bench, [job], Path(name))[job] for job in JOBS}
        together = collect(bench, list(JOBS), Path(name))
    verdicts = {job: judge(alone[job], together[job]) for job in JOBS}
    total_j, device_j = sum(one.run_j for one in together.values()), max(one.device_j for one in together.values())
    table: list[Row] = [
        (f"{job} alone", f"{one.run_j:.0f} J, {one.unit_j:.4g} J a unit") for job, one in alone.items()
    ]
    table += [(f"{job} together", words(verdict)) for job, verdict in verdicts.items()]
    table.append(("sum of both together", f"{total_j:.0f} J of the device's {device_j:.0f} J"))
    data = {
        "alone": {job: asdict(one) for job, one in alone.items()},
        "together": {job: asdict(one) for job, one in together.items()},
        "verdicts": {job: asdict(one) for job, one in verdicts.items()},
    }
    return Outcome(data, table)


EXPERIMENT = Experiment("pair", "11 Two jobs alone and together", run, 300)
