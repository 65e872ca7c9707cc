"""The dashboard of all nodes together."""

from __future__ import annotations

from aipower_exporters import metrics
from aipower_exporters.grafana.model import Dashboard, Panel, Query, Row, now
from aipower_exporters.grafana.panels import COMPONENTS, Steps, days, pie, ranking, series, stat
from aipower_exporters.grafana.promql import (
    CLUSTER,
    DAY,
    IDLE,
    IN_JOBS,
    IN_NO_JOB,
    JOB_KEY,
    KINDS,
    NODES,
    UNATTRIBUTED,
    WHOLE,
    by,
    carbon_g,
    cost,
    device_energy,
    facts,
    idle_while_held,
    in_range,
    increase,
    kwh,
    named,
    or_zero,
    pick,
    rate,
    share,
    with_facts,
    with_or_without_facts,
)
from aipower_exporters.grafana.tables import Key, Value, table, to_dashboard
from aipower_exporters.grafana.variables import (
    ALL_CLUSTERS,
    CARBON_TITLE,
    COST,
    COST_TITLE,
    DATASOURCE,
    INTENSITY,
    faults,
    restarts,
)
from aipower_exporters.grafana.variables import NODES as NODE_CHOICE

SCOPE = (CLUSTER, NODES)
NODE_LINK = to_dashboard("aipower-node", "var-instance=${__value.raw}")
JOB_LINK = to_dashboard("aipower-job", "var-job=${__value.raw}", "var-system=${__data.fields.system}")
USER_LINK = to_dashboard("aipower-who", "var-user=${__value.raw}")
UNUSED = Steps(0.3, 0.7)
NAMED_IN_RANGE = facts(*SCOPE, span=WHOLE)


def dashboard() -> Dashboard:
    """What all machines draw together, who uses it, and what is wasted."""
    return Dashboard(
        "aipower-cluster",
        "aipower / Cluster",
        "Power and energy of all nodes: by day, node, user, team, account and system; waste; nodes in trouble.",
        (DATASOURCE, ALL_CLUSTERS, NODE_CHOICE, *COST, INTENSITY),
        (
            Row("Now", _now()),
            Row("The time range", _totals()),
            Row("Power", _power()),
            Row("Energy by day, the last 14 days", _by_day()),
            Row("Who", (*_owners(), _top_jobs())),
            Row("Waste", _waste()),
            Row("Nodes", (_nodes(), _missing(), _mixed_up())),
        ),
        (restarts(*SCOPE), faults(*SCOPE)),
    )


def _now() -> tuple[Panel, ...]:
    seen = f"group by (cluster, instance) (last_over_time({pick(metrics.BUILD_INFO, *SCOPE)}{WHOLE}))"
    here = f"group by (cluster, instance) ({pick(metrics.BUILD_INFO, *SCOPE)})"
    power, limit = (pick(metric, *SCOPE, KINDS) for metric in (metrics.DEVICE_POWER, metrics.POWER_LIMIT))
    near = f"count({power} / on (cluster, instance, device) {limit} > 0.95)"
    return (
        stat("Power now", "What all devices of all nodes draw now.", "watt", now(f"sum({power})")),
        stat("Nodes", "Nodes that answer now.", "none", now(or_zero(f"count({here})"))),
        stat("Silent nodes", "Nodes that answered within the time range and do not now.", "none",
             now(or_zero(f"count({seen} unless {here})")), steps=Steps(alarm=1)),
        stat("Sensors down", "Devices whose sensor fails now.", "none",
             now(or_zero(f"count({pick(metrics.SENSOR_UP, *SCOPE)} == 0)")), steps=Steps(alarm=1)),
        stat("Devices at their limit", "Devices that draw more than 95 % of what they may.", "none",
             now(or_zero(near)), steps=Steps(warn=1)),
        stat("Pushes that fail", "Ways out of an agent that do not arrive now.", "none",
             now(or_zero(f"count({pick(metrics.SINK_UP, *SCOPE)} == 0)")), steps=Steps(warn=1)),
    )  # fmt: skip


def _totals() -> tuple[Panel, ...]:
    energy = device_energy(*SCOPE)
    idle = f"sum({increase(metrics.DEVICE_COMPONENT_ENERGY, *SCOPE, KINDS, IDLE)})"
    return (
        stat("Energy", "Energy of all devices in the time range.", "kwatth", now(kwh(energy)), decimals=2),
        stat(f"Cost {COST_TITLE}", "Energy x PUE x price.", "none", now(cost(energy)), decimals=2),
        stat(f"CO2e {CARBON_TITLE}", "Energy x PUE x intensity.", "massg", now(carbon_g(energy))),
        stat("Idle share", "Energy that the bare devices take, used or not, of all energy.", "percentunit",
             now(f"{idle} / {energy}"), steps=Steps(0.4, 0.7), decimals=0),
        stat("GPU hours held", "Hours of GPUs that jobs held.", "none", now(_gpu_hours(metrics.JOB_HELD)),
             decimals=1),
        stat("GPU hours held but unused", "Of these, hours in which no process of the job was at work.", "none",
             now(_gpu_hours(metrics.JOB_UNUSED)), decimals=1, steps=Steps(warn=24)),
    )  # fmt: skip


def _gpu_hours(metric: metrics.Metric) -> str:
    return f"sum({in_range(metric, *SCOPE)}) / 3600"


def _power() -> tuple[Panel, ...]:
    power = rate(metrics.DEVICE_ENERGY, *SCOPE, KINDS)
    component = rate(metrics.DEVICE_COMPONENT_ENERGY, *SCOPE, KINDS)
    return (
        series("Power by node", "Average power of each node.", "watt", Query(by("instance", power), "{{instance}}"),
               stacked=True),
        series("Power by component",
               COMPONENTS,
               "watt", Query(by("component", component), "{{component}}"), stacked=True),
    )  # fmt: skip


def _by_day() -> tuple[Panel, ...]:
    devices = increase(metrics.DEVICE_ENERGY, *SCOPE, KINDS, span=DAY)
    users = increase(metrics.USER_ENERGY, *SCOPE, KINDS, span=DAY)
    return (
        days("Energy of each day by node", "The last bar is today so far.", "kwatth",
             Query(kwh(by("instance", devices)), "{{instance}}")),
        days("Energy of each day by user", "Without what is idle or unattributed. The ten who used most on each day.",
             "kwatth", Query(f"topk(10, {kwh(by('user', users))})", "{{user}}")),
    )  # fmt: skip


def _owners() -> tuple[Panel, ...]:
    used = by(JOB_KEY, in_range(metrics.JOB_ENERGY, *SCOPE, KINDS, IN_JOBS))
    others = by(JOB_KEY, in_range(metrics.JOB_ENERGY, *SCOPE, KINDS, IN_NO_JOB))
    system = by("system", in_range(metrics.JOB_ENERGY, *SCOPE, KINDS))
    user = by("user", increase(metrics.USER_ENERGY, *SCOPE, KINDS))

    def said(label: str) -> str:
        known = with_or_without_facts(label, used, NAMED_IN_RANGE, others)
        return f"sort_desc(topk(10, {kwh(named(label, 'none', by(label, known)))}))"

    return (
        pie("Energy by system", "Who runs it: Slurm, Kubernetes, containers, systemd; none is what is in no job or "
            "unattributed; idle is what the bare devices take.", "kwatth", now(kwh(system), "{{system}}")),
        ranking("Energy by user", "The ten who used most.", "kwatth",
                now(f"sort_desc(topk(10, {kwh(user)}))", "{{user}}")),
        ranking("Energy by team", "The ten that used most; none: no job, or a job that names no team.", "kwatth",
                now(said("team"), "{{team}}")),
        ranking("Energy by account", "The ten that used most; none: no job, or a job that names no account.", "kwatth",
                now(said("account"), "{{account}}")),
    )  # fmt: skip


def _top_jobs() -> Panel:
    used = by(f"{JOB_KEY}, user", in_range(metrics.JOB_ENERGY, *SCOPE, KINDS, IN_JOBS))
    five = by("system, job, user, name", with_facts("name", used, NAMED_IN_RANGE))
    return table(
        "Top five jobs", "Those that used most energy in the time range.",
        (Key("system"), Key("job", link=JOB_LINK), Key("name"), Key("user", link=USER_LINK)),
        (Value("energy", f"topk(5, {kwh(five)})", "kwatth", 2, bar=True),
         Value("share of all", f"topk(5, {share(five, device_energy(*SCOPE))})", "percentunit", 0)),
        width=16, height=8,
    )  # fmt: skip


def _waste() -> tuple[Panel, ...]:
    key = "instance, system, job, user, index"
    held, unused = (by(key, rate(metric, *SCOPE)) for metric in (metrics.JOB_HELD, metrics.JOB_UNUSED))
    so_far = by(key, pick(metrics.JOB_UNUSED, *SCOPE))
    return (
        table(
            "GPUs that a job holds now, the unused ones first",
            "Share of the last minutes in which no process of the job was at work on the GPU.",
            (Key("instance", "node", NODE_LINK), Key("index", "GPU"), Key("system"), Key("job", link=JOB_LINK),
             Key("user", link=USER_LINK)),
            (Value("unused now", f"{unused} / ({held} > 0)", "percentunit", 0, UNUSED),
             Value("hours unused so far", f"{so_far} / 3600", "none", 2)),
            width=14,
        ),
        series("GPUs held and unused", "How many GPUs jobs held, and how many of these were not used.", "none",
               Query(f"sum({rate(metrics.JOB_HELD, *SCOPE)})", "held"),
               Query(f"sum({rate(metrics.JOB_UNUSED, *SCOPE)})", "unused")).sized(10, 9),
        stat("Idle energy of GPUs held unused (estimate)", "Unused time x mean idle power of each GPU. A GPU that two "
             "jobs hold counts twice.", "kwatth", now(kwh(f"sum({idle_while_held(*SCOPE)})")), decimals=2, width=8),
        stat("Cost of the idle share " + COST_TITLE, "Energy that the bare devices take x PUE x price.", "none",
             now(cost(f"sum({increase(metrics.DEVICE_COMPONENT_ENERGY, *SCOPE, KINDS, IDLE)})")), decimals=2, width=8),
        stat("Unattributed share", "Energy that could not be given to a process, of all energy.", "percentunit",
             now(f"sum({increase(metrics.DEVICE_COMPONENT_ENERGY, *SCOPE, KINDS, UNATTRIBUTED)}) / "
                   f"{device_energy(*SCOPE)}"), decimals=1, steps=Steps(0.1, 0.3), width=8),
    )  # fmt: skip


def _nodes() -> Panel:
    seen = f"group by (instance) (last_over_time({pick(metrics.BUILD_INFO, *SCOPE)}{WHOLE}))"
    here = f"group by (instance) ({pick(metrics.BUILD_INFO, *SCOPE)})"
    down = f"count by (instance) ({pick(metrics.SENSOR_UP, *SCOPE)} == 0) or {here} * 0"
    absent = f"{by('instance', pick(metrics.SOURCE_MISSING, *SCOPE))} or {here} * 0"
    return table(
        "Nodes", "All that answered within the time range.",
        (Key("instance", "node", NODE_LINK),),
        (
            Value("state", f"{here} or {seen} * 0", "none", text=(("1", "answers", "green"), ("0", "silent", "red"))),
            Value("power", by("instance", pick(metrics.DEVICE_POWER, *SCOPE, KINDS)), "watt", 0, bar=True),
            Value("energy", kwh(by("instance", increase(metrics.DEVICE_ENERGY, *SCOPE, KINDS))), "kwatth", 2),
            Value("sensors down", down, "none", 0, Steps(alarm=1)),
            Value("sources missing", absent, "none", 0, Steps(warn=1)),
            Value("faults", by("instance", increase(metrics.AGENT_FAULTS, *SCOPE)), "none", 0, Steps(warn=1)),
        ),
        sort="power", height=8,
    )  # fmt: skip


def _missing() -> Panel:
    missing = f"max by (instance, source, kind) ({pick(metrics.SOURCE_MISSING, *SCOPE)}) > 0"
    return table(
        "Sources missing", "What a node has no sensor for, or its agent may not read: see `aipower doctor` there.",
        (Key("instance", "node", NODE_LINK), Key("source"), Key("kind")),
        (Value("missing", missing, "none", 0),),
        width=16, height=7, needs="a node on which a source is missing",
    )  # fmt: skip


def _mixed_up() -> Panel:
    renamed = pick(metrics.JOB_INFO, *SCOPE, 'exported_job!=""')
    return stat(
        "Nodes scraped without honor_labels",
        "All dashboards miss their jobs, as Prometheus has renamed the label `job`: see docs/grafana.md.",
        "none", now(or_zero(f"count(group by (instance) ({renamed}))")), steps=Steps(alarm=1), width=8, height=7,
    )  # fmt: skip
