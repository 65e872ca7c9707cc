"""The questions that several panels ask, in PromQL with Grafana's variables."""

from __future__ import annotations

from aipower_exporters import metrics
from aipower_exporters.metrics import Metric

CLUSTER = 'cluster=~"$cluster"'
NODES = 'instance=~"$instance"'
SYSTEMS = 'system=~"$system"'
KINDS = 'kind=~"gpu|cpu|dram"'
"""The other kinds contain these."""
GPUS = 'kind="gpu"'
IDLE = 'component="idle"'
UNATTRIBUTED = 'component="unattributed"'
JOB_KEY = "cluster, instance, system, job"
RATE = "[$__rate_interval]"
IN_JOBS = 'job!=""'
IN_NO_JOB = 'job="", system!="idle"'
WHOLE = "[$__range]"
DAY = "[1d] offset -1d"
"""The day that begins at the time of the value: a bar stands at its own day."""
STEP = "[$__interval] offset -$__interval"
"""From the time of the value to that of the next one: bars leave nothing out."""
TO_KWH = "/ 3.6e6"
TO_HOURS = "/ 3600"


def pick(metric: Metric, *matchers: str) -> str:
    """The series of `metric` that match."""
    return f"{metric.name}{{{', '.join(matchers)}}}"


def rate(metric: Metric, *matchers: str) -> str:
    """Change each second: joules become watts."""
    return f"rate({pick(metric, *matchers)}{RATE})"


def increase(metric: Metric, *matchers: str, span: str = WHOLE) -> str:
    """Growth over the time range, for counters that never leave."""
    return f"increase({pick(metric, *matchers)}{span})"


def top(metric: Metric, *matchers: str) -> str:
    """The highest value in the time range: for the counter of a job, all since it began."""
    return f"max_over_time({pick(metric, *matchers)}{WHOLE})"


def last(metric: Metric, *matchers: str) -> str:
    """The last value in the time range, also of series that have left meanwhile."""
    return f"last_over_time({pick(metric, *matchers)}{WHOLE})"


def in_range(metric: Metric, *matchers: str) -> str:
    """Growth over the time range of counters that begin at 0 and leave, as those of jobs do.

    `increase()` would lose what was used before the first scrape: for a job of one minute that is much of it. So: what
    it has come to, less what it had at the beginning of the range. The hours before that bridge a node that could not
    be reached just then.
    """
    whole, series = top(metric, *matchers), pick(metric, *matchers)
    before = f"last_over_time({series}[3h] offset $__range)"
    return f"clamp_min({whole} - ({before} or {whole} * 0), 0)"


def by(labels: str, expr: str) -> str:
    """The sum for each combination of labels."""
    return f"sum by ({labels}) ({expr})"


def or_zero(expr: str) -> str:
    """0 where there is nothing to count."""
    return f"({expr}) or vector(0)"


def share(expr: str, whole: str) -> str:
    """Each part of a whole, from 0 to 1."""
    return f"{expr} / scalar({whole})"


def named(label: str, word: str, expr: str) -> str:
    """A word where the label is empty."""
    return f'label_replace({expr}, "{label}", "{word}", "{label}", "")'


def facts(*matchers: str, span: str = "") -> str:
    """What each job says of itself, once for each job and node.

    Over a time range it may have changed, as names become known after the first scrape: what was said for longest
    counts, so that whoever joins never finds two.
    """
    said = pick(metrics.JOB_INFO, *matchers)
    counted = f"count_over_time({said}{span})" if span else said
    return f"topk by ({JOB_KEY}) (1, {counted}) > bool 0"


def with_facts(labels: str, expr: str, said: str) -> str:
    """The labels of what jobs say, joined to each series of them; those of no job fall away."""
    return f"{expr} * on ({JOB_KEY}) group_left ({labels}) ({said})"


def with_or_without_facts(labels: str, jobs: str, said: str, others: str) -> str:
    """The same of `jobs`, and `others` with the labels empty: what is in no job has no facts."""
    return f"({with_facts(labels, jobs, said)}) or on ({JOB_KEY}) {others}"


def device_energy(*scope: str) -> str:
    """All energy of the time range in joules: what shares are of."""
    return f"sum({increase(metrics.DEVICE_ENERGY, *scope, KINDS)})"


def kwh(expr: str) -> str:
    """Kilowatt-hours of joules."""
    return f"{expr} {TO_KWH}"


def cost(expr: str) -> str:
    """What joules cost."""
    return f"{expr} {TO_KWH} * $pue * $price"


def carbon_g(expr: str) -> str:
    """Grams of CO2 equivalent of joules."""
    return f"{expr} {TO_KWH} * $pue * $intensity"


def idle_while_held(*scope: str, job: tuple[str, ...] = ()) -> str:
    """Joules that the idle part of GPUs took while a job held them unused: an estimate from their mean idle power."""
    unused = by(f"{JOB_KEY}, user, device", in_range(metrics.JOB_UNUSED, *scope, *job))
    idle_w = by("cluster, instance, device", idle_power(*scope))
    return f"({unused} * on (cluster, instance, device) group_left () ({idle_w}))"


def idle_power(*scope: str) -> str:
    """Mean idle power of GPUs over the time range, in watts."""
    return f"rate({pick(metrics.DEVICE_COMPONENT_ENERGY, *scope, GPUS, IDLE)}{WHOLE})"
