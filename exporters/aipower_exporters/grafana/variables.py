"""What a person chooses at the top of the dashboards."""

from __future__ import annotations

from aipower_exporters import metrics
from aipower_exporters.grafana.model import Annotation, Variable
from aipower_exporters.grafana.promql import CLUSTER, JOB_KEY, RATE, SYSTEMS, WHOLE, by, pick

DATASOURCE = Variable(
    "datasource",
    "Data source",
    "The Prometheus, or what answers like one, that has the metrics.",
    "datasource",
    "prometheus",
)
ALL_CLUSTERS = Variable(
    "cluster", "Cluster", "Value of the label `cluster`, where your Prometheus sets one.", "query",
    f"label_values({metrics.BUILD_INFO.name}, cluster)", multi=True,
)  # fmt: skip
NODE = Variable(
    "instance", "Node", "The agent, as Prometheus names it.", "query",
    f"label_values({pick(metrics.BUILD_INFO, CLUSTER)}, instance)",
)  # fmt: skip
NODES = Variable("instance", "Node", NODE.description, "query", NODE.query, multi=True)
PRICE = Variable(
    "price", "Price of a kWh", "With a point, as in 0.30. The value at first is an example.", "textbox", "0.30"
)
CURRENCY = Variable("currency", "Currency", "Only shown, never converted.", "textbox", "EUR")
PUE = Variable(
    "pue", "PUE", "Power usage effectiveness of the building; 1.0 is the measured devices alone.", "textbox", "1.0"
)
INTENSITY = Variable(
    "intensity",
    "g CO2e per kWh",
    "Grams of CO2 equivalent per kWh. The value at first is an example.",
    "textbox",
    "400",
)
COST = (PRICE, CURRENCY, PUE)
COST_TITLE = "if a kWh costs $price $currency and PUE is $pue"
CARBON_TITLE = "if a kWh emits $intensity g and PUE is $pue"


def label_variable(name: str, label: str, description: str, series: str) -> Variable:
    """All values of the label `name` of `series`; several may be chosen."""
    return Variable(name, label, description, "query", f"label_values({series}, {name})", multi=True)


SYSTEM = label_variable(
    "system",
    "System",
    "slurm, kubernetes, docker, podman, containerd, crio or systemd.",
    pick(metrics.JOB_INFO, CLUSTER),
)
USER = label_variable("user", "User", "Owner of the processes.", pick(metrics.USER_ENERGY, CLUSTER))
TEAM = label_variable("team", "Team", "From AIPOWER_TEAM of the job.", pick(metrics.JOB_INFO, CLUSTER))
ACCOUNT = label_variable("account", "Account", "Slurm's account of the job.", pick(metrics.JOB_INFO, CLUSTER))


def job_variable(name: str, label: str, description: str) -> Variable:
    """One job out of all that were there in the time range, shown with its name."""
    said = f"count_over_time({pick(metrics.JOB_INFO, CLUSTER, SYSTEMS)}{WHOLE})"
    text = f'label_join(topk by ({JOB_KEY}) (1, {said}), "text", " ", "job", "name")'
    return Variable(
        name, label, description, "query", f"query_result(max by (job, text) ({text}))",
        regex='/job="(?<value>[^"]*)".*text="(?<text>[^"]*)"/', sort=4,
    )  # fmt: skip


def restarts(*scope: str) -> Annotation:
    """Marks where agents began."""
    return Annotation(
        "Agent started", f"{pick(metrics.AGENT_START, *scope)} * 1000", "agent started", "{{instance}}", "blue",
        value_is_time=True,
    )  # fmt: skip


def faults(*scope: str) -> Annotation:
    """Marks where something went wrong with a device."""
    grown = f"increase({pick(metrics.AGENT_FAULTS, *scope)}{RATE})"
    return Annotation(
        "Fault", f"{by('instance, device, reason', grown)} > 0", "{{reason}}", "{{instance}} {{device}}", "red"
    )
