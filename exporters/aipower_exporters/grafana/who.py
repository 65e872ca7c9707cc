"""The dashboard that ranks who uses what."""

from __future__ import annotations

from aipower_exporters import metrics
from aipower_exporters.grafana.model import Dashboard, Panel, Query, Row, now
from aipower_exporters.grafana.panels import Steps, pie, series, stat
from aipower_exporters.grafana.promql import (
    CLUSTER,
    IN_JOBS,
    IN_NO_JOB,
    JOB_KEY,
    KINDS,
    NODES,
    SYSTEMS,
    TO_HOURS,
    WHOLE,
    by,
    cost,
    device_energy,
    facts,
    idle_while_held,
    in_range,
    increase,
    kwh,
    named,
    rate,
    share,
    top,
    with_facts,
    with_or_without_facts,
)
from aipower_exporters.grafana.tables import Key, Value, table, to_dashboard
from aipower_exporters.grafana.variables import (
    ACCOUNT,
    ALL_CLUSTERS,
    COST,
    COST_TITLE,
    DATASOURCE,
    SYSTEM,
    TEAM,
    USER,
)
from aipower_exporters.grafana.variables import NODES as NODE_CHOICE

SCOPE = (CLUSTER, NODES)
USERS = 'user=~"$user"'
SAID = ('team=~"$team"', 'account=~"$account"')
"""On series that have no such labels these match only while all teams and accounts are chosen."""
MINE = (*SCOPE, SYSTEMS, USERS)
FACTS = facts(*SCOPE, *SAID, span=WHOLE)
FACTS_NOW = facts(*SCOPE, *SAID)
COST_COLUMN = "cost"
JOB_LINK = to_dashboard("aipower-job", "var-job=${__value.raw}", "var-system=${__data.fields.system}")
NODE_LINK = to_dashboard("aipower-node", "var-instance=${__value.raw}")
UNUSED = Steps(0.3, 0.7)


def dashboard() -> Dashboard:
    """Who used how much of all energy, and how much of it was wasted."""
    return Dashboard(
        "aipower-who",
        "aipower / Who uses what",
        "Energy of the time range by user, team, account and job, with its share, its cost and what was held unused. "
        "A click on a name shows only what is theirs.",
        (DATASOURCE, ALL_CLUSTERS, NODE_CHOICE, SYSTEM, USER, TEAM, ACCOUNT, *COST),
        (
            Row("All energy of the chosen nodes", (*_whole(), _where())),
            Row(f"Ranking; cost {COST_TITLE}", (_users(), _said("team"), _jobs())),
            Row(f"By account and by node; cost {COST_TITLE}", (_said("account"), _nodes()), folded=True),
            Row("Over time", _over_time()),
        ),
    )


def _whole() -> tuple[Panel, ...]:
    energy = device_energy(*SCOPE)
    used = f"sum({increase(metrics.USER_ENERGY, *SCOPE, KINDS, USERS)})"
    return (
        stat("Energy of the nodes", "All devices of the chosen nodes, whoever used them.", "kwatth",
             now(kwh(energy)), decimals=2, height=8),
        stat("Used by the chosen users", "By their processes, in jobs or not.", "kwatth",
             now(kwh(used)), decimals=2, height=8),
        stat("Share of the chosen users", "Of all energy of the nodes.", "percentunit",
             now(f"{used} / {energy}"), decimals=1, height=8),
        stat(f"Cost {COST_TITLE}", "Of what the chosen users used.", "none", now(cost(used)),
             decimals=2, height=8),
    )  # fmt: skip


def _where() -> Panel:
    component = by("component", increase(metrics.DEVICE_COMPONENT_ENERGY, *SCOPE, KINDS))
    return pie("Where it went", "active and context were used by someone; idle is what bare devices take.", "kwatth",
               now(kwh(component), "{{component}}"))  # fmt: skip


def _users() -> Panel:
    used = by("user", increase(metrics.USER_ENERGY, *SCOPE, KINDS, USERS))
    hours = by("user", in_range(metrics.JOB_UNUSED, *SCOPE, USERS))
    waste = by("user", idle_while_held(*SCOPE, job=(USERS,)))
    link = to_dashboard("aipower-who", "var-user=${__value.raw}")
    return table(
        "Users", "All that their processes used, in jobs or not; teams, accounts and systems do not narrow it. Idle "
        "while unused is an estimate: time for which they held a GPU unused x its mean idle power.",
        (Key("user", link=link),), _columns(used, hours, waste), width=12,
    )  # fmt: skip


def _said(label: str) -> Panel:
    """Teams or accounts."""
    labels = f"{JOB_KEY}, user"
    used = by(labels, in_range(metrics.JOB_ENERGY, *MINE, KINDS, IN_JOBS))
    others = by(labels, in_range(metrics.JOB_ENERGY, *MINE, KINDS, IN_NO_JOB, *SAID))
    whole = named(label, "none", by(label, with_or_without_facts(label, used, FACTS, others)))
    hours = by(labels, in_range(metrics.JOB_UNUSED, *MINE))
    held = named(label, "none", by(label, with_facts(label, hours, FACTS)))
    idle = by(labels, idle_while_held(*SCOPE, job=(SYSTEMS, USERS)))
    waste = named(label, "none", by(label, with_facts(label, idle, FACTS)))
    link = to_dashboard("aipower-who", f"var-{label}=${{__value.raw}}")
    return table(
        f"{label.capitalize()}s", f"none: what is in no job, in a job that names no {label}, or unattributed.",
        (Key(label, link=link),), _columns(whole, held, waste), width=12,
    )  # fmt: skip


def _columns(used: str, unused_s: str, waste: str) -> tuple[Value, ...]:
    return (
        Value("energy", kwh(used), "kwatth", 2, bar=True),
        Value("share of all", share(f"({used})", device_energy(*SCOPE)), "percentunit", 1),
        Value(COST_COLUMN, cost(f"({used})"), "none", 2),
        Value("GPU hours unused", f"{unused_s} {TO_HOURS}", "none", 1),
        Value("idle while unused (est.)", kwh(waste), "kwatth", 2),
    )


def _jobs() -> Panel:
    labels = f"{JOB_KEY}, user"
    shown = "system, job, name, team, account, user"

    def of_jobs(expr: str) -> str:
        return by(shown, with_facts("name, team, account", by(labels, expr), FACTS))

    used = in_range(metrics.JOB_ENERGY, *MINE, KINDS, IN_JOBS)
    held, unused = (of_jobs(in_range(metric, *MINE)) for metric in (metrics.JOB_HELD, metrics.JOB_UNUSED))
    return table(
        "Jobs", "Energy within the time range, and of the whole job, also of what lies before it.",
        (Key("system"), Key("job", link=JOB_LINK), Key("name"), Key("user", link=to_dashboard(
            "aipower-who", "var-user=${__value.raw}")), Key("team"), Key("account")),
        (
            Value("energy", kwh(of_jobs(used)), "kwatth", 2, bar=True),
            Value("whole job", kwh(of_jobs(top(metrics.JOB_ENERGY, *MINE, KINDS, IN_JOBS))), "kwatth", 2),
            Value("share of all", share(of_jobs(used), device_energy(*SCOPE)), "percentunit", 1),
            Value(COST_COLUMN, cost(of_jobs(used)), "none", 2),
            Value("GPU hours held", f"{held} {TO_HOURS}", "none", 1),
            Value("of these unused", f"{unused} / ({held} > 0)", "percentunit", 0, UNUSED),
        ),
        height=10,
    )  # fmt: skip


def _nodes() -> Panel:
    used = by("instance, user", increase(metrics.USER_ENERGY, *SCOPE, KINDS, USERS))
    return table(
        "Who on which node", "What the chosen users used on each node.",
        (Key("instance", "node", NODE_LINK), Key("user")),
        (Value("energy", kwh(used), "kwatth", 2, bar=True),), width=12,
    )  # fmt: skip


def _over_time() -> tuple[Panel, ...]:
    users = rate(metrics.USER_ENERGY, *SCOPE, KINDS, USERS)
    jobs = by(f"{JOB_KEY}, user", rate(metrics.JOB_ENERGY, *MINE, KINDS, IN_JOBS))
    team, job = (
        by(label, with_facts(label.split(", ")[-1], jobs, FACTS_NOW)) for label in ("team", "system, job, name")
    )
    return (
        series("Power by user", "Without what is idle or unattributed.", "watt", Query(by("user", users), "{{user}}"),
               stacked=True),
        series("Power of jobs by team", "none: of jobs that name no team.", "watt",
               Query(named("team", "none", team), "{{team}}"), stacked=True),
        series("Power by job", "Jobs of the chosen users.", "watt", Query(job, "{{system}} {{job}} {{name}}"),
               stacked=True).sized(24, 9),
    )  # fmt: skip
