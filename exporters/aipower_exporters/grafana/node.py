"""The dashboard of one node."""

from __future__ import annotations

from aipower_exporters import metrics
from aipower_exporters.grafana.model import Dashboard, Panel, Query, Row, now
from aipower_exporters.grafana.panels import COMPONENTS, Steps, bars, dashed, series, stat, states
from aipower_exporters.grafana.promql import (
    CLUSTER,
    IN_JOBS,
    KINDS,
    RATE,
    STEP,
    TO_HOURS,
    UNATTRIBUTED,
    by,
    device_energy,
    increase,
    kwh,
    or_zero,
    pick,
    rate,
)
from aipower_exporters.grafana.tables import Key, Value, table, to_dashboard
from aipower_exporters.grafana.variables import ALL_CLUSTERS, DATASOURCE, NODE, faults, restarts

HERE = (CLUSTER, 'instance="$instance"')
JOB_LINK = to_dashboard("aipower-job", "var-job=${__data.fields.job}", "var-system=${__data.fields.system}")
USER_LINK = to_dashboard("aipower-who", "var-user=${__value.raw}")
PROCESS_KEY = "pid, comm, user, run"
PLACE = "cluster, instance, pid, comm, user, run"
BUDGET_CPU = Steps(0.02, 0.1)
BUDGET_MEMORY = Steps(96e6, 256e6)


def dashboard() -> Dashboard:
    """What one machine draws, who draws it, and whether the measurement is sound."""
    return Dashboard(
        "aipower-node",
        "aipower / Node",
        "Power and energy of one machine: by device, by component, by process and by job.",
        (DATASOURCE, ALL_CLUSTERS, NODE),
        (
            Row("Now", _now()),
            Row("Power", _power()),
            Row("Who", (_jobs(), _processes(), _by_job(), _by_user())),
            Row("Is the measurement sound?", _health()),
            Row("What the agent itself costs", _agent()),
        ),
        (restarts(*HERE), faults(*HERE)),
        "now-6h",
    )


def _now() -> tuple[Panel, ...]:
    power = pick(metrics.DEVICE_POWER, *HERE, KINDS)
    limit = pick(metrics.POWER_LIMIT, *HERE, KINDS)
    ratio = f"max({power} / on (cluster, instance, device) {limit})"
    return (
        stat("Power now", "What GPUs, processors and their memory draw now, where it is measured.", "watt",
             now(f"sum({power})")),
        stat("Nearest to its limit", "Power over its limit, of the device that is nearest to its own.", "percentunit",
             now(ratio), steps=Steps(0.9, 0.97), decimals=0),
        stat("Energy today", "Energy of all devices since midnight.", "kwatth",
             now(kwh(device_energy(*HERE))), decimals=2).ranged("now/d"),
        stat("Energy in the time range", "Energy of all devices in the time range above.", "kwatth",
             now(kwh(device_energy(*HERE))), decimals=2),
        stat("Sensors down", "Devices whose sensor fails now: their power is unknown, not 0.", "none",
             now(or_zero(f"count({pick(metrics.SENSOR_UP, *HERE)} == 0)")), steps=Steps(alarm=1)),
        stat("Sources missing", "Kinds of sensors that this machine has not, or that the agent may not read.", "none",
             now(or_zero(f"sum({pick(metrics.SOURCE_MISSING, *HERE)})")), steps=Steps(warn=1)),
    )  # fmt: skip


def _power() -> tuple[Panel, ...]:
    component = rate(metrics.DEVICE_COMPONENT_ENERGY, *HERE, KINDS)
    hourly = f"increase({pick(metrics.DEVICE_ENERGY, *HERE, KINDS)}{STEP})"
    return (
        series("Power by device", "Each device, and as a dashed line the most that it may draw.", "watt",
               Query(pick(metrics.DEVICE_POWER, *HERE), "{{kind}} {{index}}"),
               Query(f"max by (kind) ({pick(metrics.POWER_LIMIT, *HERE)})", "limit of each {{kind}}"),
               overrides=(dashed("/^limit of/"),)),
        series("Power by component",
               COMPONENTS,
               "watt", Query(by("component", component), "{{component}}"), stacked=True),
        bars("Energy by hour", "By kind of device. Of longer steps than an hour in long time ranges.", "kwatth",
             Query(kwh(by("kind", hourly)), "{{kind}}")).sized(24, 7).stepped("1h"),
    )  # fmt: skip


def _jobs() -> Panel:
    used = pick(metrics.JOB_ENERGY, *HERE, KINDS, IN_JOBS)
    error = pick(metrics.JOB_ENERGY_ERROR, *HERE, KINDS, IN_JOBS)
    held, unused = (pick(metric, *HERE) for metric in (metrics.JOB_HELD, metrics.JOB_UNUSED))
    keys = "system, job, user"
    return table(
        "Jobs on this node now", "And those that ended in the last minutes. Energy is all that they used here.",
        (Key("system"), Key("job", link=JOB_LINK), Key("user", link=USER_LINK)),
        (
            Value("power", by(keys, f"rate({used}{RATE})"), "watt", 0, bar=True),
            Value("energy", kwh(by(keys, used)), "kwatth", 3),
            Value("± (95 %, at most)", kwh(by(keys, error)), "kwatth", 3),
            Value("GPU hours held", f"{by(keys, held)} {TO_HOURS}", "none", 2),
            Value("of these unused", f"{by(keys, unused)} / ({by(keys, held)} > 0)", "percentunit", 0,
                  Steps(0.5, 0.9)),
        ),
        height=7,
    )  # fmt: skip


def _processes() -> Panel:
    scope = (*HERE, KINDS)
    power = by(PLACE, rate(metrics.PROCESS_ENERGY, *scope))
    place = f"topk by ({PLACE}) (1, {pick(metrics.PROCESS_INFO, *HERE)})"
    placed = f"{power} * on ({PLACE}) group_left (system, job) ({place})"
    return table(
        "Processes by power",
        "Those that draw most now. `other` is the work of processes without series of their own.",
        (Key("comm"), Key("pid"), Key("user", link=USER_LINK), Key("run"), Key("system"), Key("job", link=JOB_LINK)),
        (
            Value(
                "power", by(f"{PROCESS_KEY}, system, job", f"({placed}) or on ({PLACE}) {power}"), "watt", 1, bar=True
            ),
            Value("energy", kwh(by(PROCESS_KEY, pick(metrics.PROCESS_ENERGY, *scope))), "kwatth", 3),
            Value("± (95 %, at most)", kwh(by(PROCESS_KEY, pick(metrics.PROCESS_ENERGY_ERROR, *scope))), "kwatth", 3),
        ),
        height=8,
    )


def _by_job() -> Panel:
    power = by("system, job", rate(metrics.JOB_ENERGY, *HERE, KINDS))
    return series("Power by job", "idle is no job's; none is what is in no job, or unattributed.", "watt",
                  Query(power, "{{system}} {{job}}"), stacked=True)  # fmt: skip


def _by_user() -> Panel:
    power = by("user", rate(metrics.USER_ENERGY, *HERE, KINDS))
    return series(
        "Power by user", "Without what is idle or unattributed.", "watt", Query(power, "{{user}}"), stacked=True
    )


def _health() -> tuple[Panel, ...]:
    reasons = by("reason", increase(metrics.AGENT_FAULTS, *HERE, span=RATE))
    late = f"{rate(metrics.AGENT_TICK_LATE, *HERE)} / {rate(metrics.AGENT_TICKS, *HERE)}"
    taken = f"{rate(metrics.AGENT_TICK_TIME, *HERE)} / {rate(metrics.AGENT_TICKS, *HERE)}"
    return (
        states("Sensors", "Red: the sensor failed, the power was unknown.",
               Query(pick(metrics.SENSOR_UP, *HERE), "{{kind}} {{index}}")),
        bars("Faults", "What went wrong, by reason; a sound node has none.", "none", Query(reasons, "{{reason}}")),
        series("Readings", "How late a reading begins, and how long it takes.", "s", Query(late, "late"),
               Query(taken, "taken")),
        series("Share that is unattributed", "Energy that no process could be given, of all energy.", "percentunit",
               Query(_unattributed(), "unattributed"), steps=Steps(0.1, 0.3)),
    )  # fmt: skip


def _unattributed() -> str:
    part = rate(metrics.DEVICE_COMPONENT_ENERGY, *HERE, KINDS, UNATTRIBUTED)
    return f"sum({part}) / sum({rate(metrics.DEVICE_ENERGY, *HERE, KINDS)})"


def _agent() -> tuple[Panel, ...]:
    return (
        series("Processor", "Of one core: 100 % is a whole one.", "percentunit",
               Query(rate(metrics.AGENT_CPU, *HERE), "agent"), steps=BUDGET_CPU).sized(8, 7),
        series("Memory", "Resident memory.", "bytes", Query(pick(metrics.AGENT_MEMORY, *HERE), "agent"),
               steps=BUDGET_MEMORY).sized(8, 7),
        stat("Series withdrawn in the time range", "Processes that left the page; their energy is kept in sums.",
             "none", now(f"sum({increase(metrics.AGENT_FOLDED, *HERE)})"), decimals=0, height=7),
        stat("Agent started", "When the agent began; its counters of energy are older.", "dateTimeFromNow",
             now(f"max({pick(metrics.AGENT_START, *HERE)}) * 1000", "started"), height=7),
    )  # fmt: skip
