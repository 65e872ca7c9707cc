"""8: what each NVML call costs, on an idle card and under load."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

from benchmarks.gpu.card import AVERAGE, ENERGY, INSTANT, NOT_FOUND, CallFailedError, Card
from benchmarks.gpu.figures import Spread, spread
from benchmarks.gpu.seams import STEADY, Bench, Experiment, Outcome, Row

CALLS = 300
PAUSE_S = 0.005
"""Between calls: latencies of calls in a burst are not those that a meter sees."""
LIMIT_S = 10.0
"""Of one call's measurement: some calls take 100 ms."""
LONG_AGO_US = 10_000_000


def questions(card: Card, unix_s: Callable[[], float]) -> Mapping[str, Callable[[], object]]:
    """The calls that a meter makes or might make, by what they ask."""
    plain = {
        name: (lambda name=name: card.call(name))
        for name in (
            "nvmlDeviceGetTotalEnergyConsumption",
            "nvmlDeviceGetPowerUsage",
            "nvmlDeviceGetUtilizationRates",
            "nvmlDeviceGetMemoryInfo",
            "nvmlDeviceGetPerformanceState",
            "nvmlDeviceGetEnforcedPowerLimit",
            "nvmlDeviceGetComputeRunningProcesses",
            "nvmlDeviceGetGraphicsRunningProcesses",
            "nvmlDeviceGetMPSComputeRunningProcesses",
        )
    }
    fields = {
        f"fields {' '.join(map(str, numbers))}": (
            lambda numbers=numbers: card.call("nvmlDeviceGetFieldValues", list(numbers))
        )
        for numbers in ((ENERGY,), (INSTANT,), (AVERAGE,), (ENERGY, INSTANT), (ENERGY, INSTANT, AVERAGE))
    }
    since = {
        name: (lambda name=name: card.call(name, round(unix_s() * 1e6) - LONG_AGO_US))
        for name in ("nvmlDeviceGetProcessUtilization", "nvmlDeviceGetProcessesUtilizationInfo")
    }
    clocks = {"nvmlDeviceGetClockInfo": lambda: card.call("nvmlDeviceGetClockInfo", 0)}
    temperature = {"nvmlDeviceGetTemperature": lambda: card.call("nvmlDeviceGetTemperature", 0)}
    samples = {"nvmlDeviceGetSamples": lambda: card.call("nvmlDeviceGetSamples", 0, 0)}
    return {**plain, **fields, **since, **clocks, **temperature, **samples}


def collect(bench: Bench, question: Callable[[], object]) -> list[float]:
    """The seconds that each of the calls took; "nothing found" is an answer like others.

    Raises:
        CallFailedError: The GPU does not know the call.
    """
    times_s: list[float] = []
    began_s = bench.clock.now_s()
    wanted = max(20, round(bench.seconds(CALLS)))
    while len(times_s) < wanted and bench.clock.now_s() < began_s + LIMIT_S:
        before_ns = time.perf_counter_ns()  # a call's cost is real time, whoever owns the machine's clock
        try:
            question()
        except CallFailedError as error:
            if error.code != NOT_FOUND:
                raise
        times_s.append((time.perf_counter_ns() - before_ns) / 1e9)
        bench.clock.sleep(PAUSE_S)
    return times_s


def measure(bench: Bench) -> dict[str, Spread | str]:
    """The spread of each call's seconds, or why there is none."""
    found: dict[str, Spread | str] = {}
    for name, question in questions(bench.card, bench.clock.unix_s).items():
        try:
            found[name] = spread(collect(bench, question)) or "no calls"
        except CallFailedError as error:
            found[name] = f"not available: {error}"
    return found


def words(found: Spread | str) -> str:
    """One call's figures."""
    if isinstance(found, str):
        return found
    return f"p50 {1e6 * found.p50:.0f} us, p99 {1e6 * found.p99:.0f} us, most {1e6 * found.most:.0f} us"


def run(bench: Bench) -> Outcome:
    """The whole experiment."""
    states = {"idle": measure(bench)}
    if not bench.loads.missing:
        with bench.loads.start(STEADY):
            states["load"] = measure(bench)
    data = {
        state: {name: one if isinstance(one, str) else asdict(one) for name, one in found.items()}
        for state, found in states.items()
    }
    table: list[Row] = [
        (f"{state}: {name}", words(one)) for state, found in states.items() for name, one in found.items()
    ]
    return Outcome(data, table)


EXPERIMENT = Experiment("latency", "8 Latency of each call", run, 90)
