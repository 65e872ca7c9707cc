"""All experiments, in the order in which they are run: those that want a cool card first."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.gpu import (
    accounting,
    counter,
    coverage,
    idle_ladder,
    integral,
    latency,
    mps,
    pair,
    power_fields,
    process_sampler,
    samples,
    watching,
)
from benchmarks.gpu.seams import Experiment

EXPERIMENTS: tuple[Experiment, ...] = tuple(
    module.EXPERIMENT
    for module in (
        watching,
        idle_ladder,
        counter,
        power_fields,
        coverage,
        samples,
        process_sampler,
        mps,
        latency,
        accounting,
        pair,
        integral,
    )
)


def chosen(names: Sequence[str]) -> list[Experiment]:
    """The experiments called `names`, in the order of all; all where there are no names.

    Raises:
        ValueError: There is none of that name; the message names all.
    """
    known = [experiment.name for experiment in EXPERIMENTS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no experiment {', '.join(unknown)}; there are {', '.join(known)}")
    return [experiment for experiment in EXPERIMENTS if not names or experiment.name in names]
