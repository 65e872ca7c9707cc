"""The dashboard of one job."""

from __future__ import annotations

from collections.abc import Callable

from aipower_exporters import metrics
from aipower_exporters.grafana.model import Dashboard, Panel, Query, Row, Variable, now
from aipower_exporters.grafana.panels import Steps, series, stat
from aipower_exporters.grafana.promql import (
    CLUSTER,
    JOB_KEY,
    KINDS,
    RATE,
    SYSTEMS,
    TO_HOURS,
    WHOLE,
    by,
    carbon_g,
    cost,
    kwh,
    last,
    or_zero,
    pick,
    rate,
    top,
)
from aipower_exporters.grafana.tables import Key, Value, table, to_dashboard
from aipower_exporters.grafana.variables import (
    ALL_CLUSTERS,
    CARBON_TITLE,
    COST,
    COST_TITLE,
    DATASOURCE,
    INTENSITY,
    SYSTEM,
    faults,
    job_variable,
    restarts,
)

JOB = (CLUSTER, SYSTEMS, 'job="$job"')
OTHER = (CLUSTER, SYSTEMS, 'job="$other"')
JOB_NODES = Variable(
    "nodes", "Nodes", "The nodes of the job; it keeps questions about processes short.", "query",
    f"label_values({pick(metrics.JOB_INFO, *JOB)}, instance)", multi=True, hidden=True,
)  # fmt: skip
ON_ITS_NODES = (CLUSTER, 'instance=~"$nodes"', KINDS)
NODE_LINK = to_dashboard("aipower-node", "var-instance=${__value.raw}")
UNUSED = Steps(0.3, 0.7)
PROCESS_KEY = "cluster, instance, pid, comm, user, run"
HOST = '"host", "$1", "instance", "(.+?)(:[0-9]+)?"'
SERVER_METRICS = "metrics of vLLM or SGLang in the same Prometheus"
SERVED = ("vllm:generation_tokens_total", "sglang:generation_tokens_total")


def dashboard() -> Dashboard:
    """What one job has used, where, and how well."""
    return Dashboard(
        "aipower-job",
        "aipower / Job",
        "Energy of one job on all its nodes, with its interval. The time range must hold the whole job or its end.",
        (
            DATASOURCE,
            ALL_CLUSTERS,
            SYSTEM,
            job_variable("job", "Job", "Slurm's id, the uid of the pod, the id of the container or the systemd unit."),
            JOB_NODES,
            job_variable("other", "Compare with", "Another job, for the comparison at the bottom."),
            *COST,
            INTENSITY,
        ),
        (
            Row("The whole job so far", (*_so_far(), _who())),
            Row("Power", _power()),
            Row("GPUs", (_held(), _gpus())),
            Row("Parts", (_steps(), _processes())),
            Row("Energy per token, of vLLM and SGLang", (_per_token(), _tokens()), folded=True),
            Row("Compared with job $other", (_compared(), _both())),
        ),
        (restarts(CLUSTER), faults(CLUSTER)),
    )


def _energy(*matchers: str) -> str:
    return f"sum({top(metrics.JOB_ENERGY, *matchers, KINDS)})"


def _error(*matchers: str) -> str:
    return f"sum({last(metrics.JOB_ENERGY_ERROR, *matchers, KINDS)})"


def _unused_share(labels: str, *matchers: str) -> str:
    """Of the time for which GPUs were held."""
    held, unused = (by(labels, top(metric, *matchers)) for metric in (metrics.JOB_HELD, metrics.JOB_UNUSED))
    return f"{unused} / ({held} > 0)"


def _so_far() -> tuple[Panel, ...]:
    energy, error = _energy(*JOB), _error(*JOB)
    power = by("", rate(metrics.JOB_ENERGY, *JOB, KINDS))
    return (
        stat("Energy, with its 95 % interval", "All that the job used since it began. The interval adds up "
             "those of nodes, steps and devices, so it is rather too wide than too narrow.", "kwatth",
             now(kwh(f"clamp_min({energy} - {error}, 0)"), "at least"),
             now(kwh(energy), "measured"),
             now(kwh(f"({energy} + {error})"), "at most"), decimals=3, width=9),
        stat("Power now", "Without what is idle or unattributed; 0 for a job that has ended.", "watt",
             now(or_zero(power)), decimals=0, width=3),
        stat("GPUs held now", "GPUs that were given to it, or on which a process of it has a context open.", "none",
             now(or_zero(f"count({by('cluster, instance, device', rate(metrics.JOB_HELD, *JOB))} > 0)")),
             width=3),
        stat("Held but unused", "Share of the GPU time for which no process of the job was at work.", "percentunit",
             now(or_zero(_unused_share("", *JOB))), steps=UNUSED, decimals=0, width=3),
        stat(f"Cost {COST_TITLE}", "Energy x PUE x price.", "none", now(cost(energy)), decimals=2, width=3),
        stat(f"CO2e {CARBON_TITLE}", "Energy x PUE x intensity.", "massg", now(carbon_g(energy)), width=3),
    )  # fmt: skip


def _who() -> Panel:
    said = f"topk by ({JOB_KEY}) (1, count_over_time({pick(metrics.JOB_INFO, *JOB)}{WHOLE}))"
    labels = "system, job, name, team, account, partition, namespace, pod"
    return table(
        "What the job says of itself", "From variables of its processes, as Slurm and the user have set them.",
        tuple(Key(label.strip()) for label in labels.split(",")),
        (Value("nodes", f"count by ({labels}) ({said})", "none", 0),), height=4,
    )  # fmt: skip


def _power() -> tuple[Panel, ...]:
    power = rate(metrics.JOB_ENERGY, *JOB, KINDS)
    return (
        series("Power by node", "Average power of the job on each node.", "watt",
               Query(by("instance", power), "{{instance}}"), stacked=True),
        series("Power by device", "Average power of the job on each device.", "watt",
               Query(by("instance, kind, index", power), "{{instance}} {{kind}} {{index}}"), stacked=True),
    )  # fmt: skip


def _held() -> Panel:
    key = "instance, index"
    held, unused = (by(key, rate(metric, *JOB)) for metric in (metrics.JOB_HELD, metrics.JOB_UNUSED))
    return series("GPUs held and unused", "How many GPUs the job held, and how many of these it did not use.", "none",
                  Query(f"sum({held})", "held"), Query(f"sum({unused})", "unused"))  # fmt: skip


def _gpus() -> Panel:
    key = "instance, index"
    held, unused = (by(key, top(metric, *JOB)) for metric in (metrics.JOB_HELD, metrics.JOB_UNUSED))
    used = by(key, top(metrics.JOB_ENERGY, *JOB, 'kind="gpu"'))
    return table(
        "GPUs of the job", "For how long each was held, how much of that unused, and what the job used there.",
        (Key("instance", "node", NODE_LINK), Key("index", "GPU")),
        (
            Value("energy", kwh(used), "kwatth", 3),
            Value("hours held", f"{held} {TO_HOURS}", "none", 2),
            Value("hours unused", f"{unused} {TO_HOURS}", "none", 2),
            Value("unused", _unused_share(key, *JOB), "percentunit", 0, UNUSED),
        ),
        width=12, height=8,
    )  # fmt: skip


def _steps() -> Panel:
    key = "step, user"
    used = by(key, top(metrics.JOB_ENERGY, *JOB, KINDS))
    error = by(key, last(metrics.JOB_ENERGY_ERROR, *JOB, KINDS))
    return table(
        "Steps", "Slurm's steps, or the containers of a pod; other jobs have one part without a name.",
        (Key("step"), Key("user")),
        (
            Value("energy", kwh(used), "kwatth", 3),
            Value("± (95 %, at most)", kwh(error), "kwatth", 3),
            Value("share", f"{used} / scalar({_energy(*JOB)})", "percentunit", 0, bar=True),
        ),
        width=12,
    )  # fmt: skip


def _processes() -> Panel:
    used = top(metrics.PROCESS_ENERGY, *ON_ITS_NODES)
    error = last(metrics.PROCESS_ENERGY_ERROR, *ON_ITS_NODES)
    mine = f"group by ({PROCESS_KEY}) ({last(metrics.PROCESS_INFO, *JOB)})"
    shown = "instance, comm, pid, user"

    def of_job(expr: str) -> str:
        return kwh(by(shown, f"{by(PROCESS_KEY, expr)} and on ({PROCESS_KEY}) {mine}"))

    return table(
        "Processes", "Those that had series of their own; the job's energy is that of all its processes.",
        (Key("instance", "node", NODE_LINK), Key("comm"), Key("pid"), Key("user")),
        (Value("energy", of_job(used), "kwatth", 3), Value("± (95 %, at most)", of_job(error), "kwatth", 3)),
        width=12,
    )  # fmt: skip


def _token_rate() -> str:
    """Tokens a second of the servers in the pod of the job, or else of those on its hosts, whatever their ports."""
    tokens = " or ".join(f"rate({name}{{{CLUSTER}}}{RATE})" for name in SERVED)
    pods = pick(metrics.JOB_INFO, *JOB, 'pod!=""')
    hosts = f"group by (host) (label_replace({pick(metrics.JOB_ENERGY, *JOB)}, {HOST}))"
    of_pods = f"sum(({tokens}) and on (namespace, pod) {pods})"
    return f"({of_pods} or sum(label_replace({tokens}, {HOST}) and on (host) {hosts}))"


def _per_token() -> Panel:
    power = f"sum({rate(metrics.JOB_ENERGY, *JOB, KINDS)})"
    return series(
        "Energy per generated token",
        "Energy of the job over tokens that its pod's servers generated; without a pod over those of all servers on "
        "its nodes.",
        "joule",
        Query(f"{power} / ({_token_rate()} > 0)", "J per token"),
    ).needing(SERVER_METRICS)


def _tokens() -> Panel:
    return series(
        "Generated tokens",
        "Each second, of vLLM and SGLang servers in the pod of the job or on its nodes.",
        "short",
        Query(_token_rate(), "tokens per second"),
    ).needing(SERVER_METRICS)


def _compared() -> Panel:
    key = "system, job"
    return table(
        "Side by side", "Both jobs as a whole, also where only a part of them lies in the time range.",
        (Key("system"), Key("job")),
        (
            Value("energy", _either(lambda job: kwh(by(key, top(metrics.JOB_ENERGY, *job, KINDS)))), "kwatth", 3,
                  bar=True),
            Value("± (95 %, at most)", _either(lambda job: kwh(by(key, last(metrics.JOB_ENERGY_ERROR, *job, KINDS)))),
                  "kwatth", 3),
            Value("lasted about", _either(_lasted), "s", 1),
            Value("nodes", _either(_count_of_nodes), "none", 0),
            Value("GPU hours held", _either(lambda job: f"{by(key, top(metrics.JOB_HELD, *job))} {TO_HOURS}"),
                  "none", 2),
            Value("of these unused", _either(lambda job: _unused_share(key, *job)), "percentunit", 0, UNUSED),
        ),
        height=5,
    )  # fmt: skip


def _count_of_nodes(job: tuple[str, ...]) -> str:
    return f"count by (system, job) (group by (system, job, instance) ({top(metrics.JOB_ENERGY, *job)}))"


def _lasted(job: tuple[str, ...]) -> str:
    """Seconds from its first to its last scrape in the time range; it stays for minutes after its end."""
    seen = f"max by (system, job) (timestamp({pick(metrics.JOB_ENERGY, *job)}))[$__range:$__interval]"
    return f"(max_over_time({seen}) - min_over_time({seen}))"


def _either(ask: Callable[[tuple[str, ...]], str]) -> str:
    return f"{ask(JOB)} or {ask(OTHER)}"


def _both() -> Panel:
    used = [by("system, job", rate(metrics.JOB_ENERGY, *job, KINDS)) for job in (JOB, OTHER)]
    queries = (Query(power, "{{system}} {{job}}") for power in used)
    return series("Power of both", "Average power of both jobs.", "watt", *queries).sized(24, 8)
