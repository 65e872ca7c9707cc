"""What the panels of dashboards made for others ask for: the series, the labels they filter on and group by.

Read off the dashboards as their projects publish them: DCGM-exporter's is 12239 on grafana.com, Kepler's is
`compose/default/grafana/dashboards/latest` of its repository, and its `per-pod-energy` of `compose/dev`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel or variable."""

    dashboard: str
    title: str
    metric: str
    filters: tuple[str, ...]
    groups: tuple[str, ...] = ()

    def query(self) -> str:
        """An expression of the panel's shape: it filters and groups as the panel does, for any value."""
        matchers = ",".join(f'{label}=~".+"' for label in self.filters)
        return f"count by ({','.join(self.groups)}) ({self.metric}{{{matchers}}})"


DCGM, KEPLER, PODS = "DCGM-exporter 12239", "Kepler", "Kepler per pod"
HOST = ("Hostname", "gpu")
ZONE = ("job", "zone")
NODE = ("job", "instance", "zone")
POD = ("pod_namespace", "pod_name")

WORKING = (
    Panel(DCGM, "GPU Power Usage", "DCGM_FI_DEV_POWER_USAGE", HOST, HOST),
    Panel(DCGM, "GPU Power Total", "DCGM_FI_DEV_POWER_USAGE", HOST, ("gpu",)),
    Panel(DCGM, "variable Hostname", "DCGM_FI_DEV_FB_FREE", (), ("Hostname",)),
    Panel(DCGM, "variable gpu", "DCGM_FI_DEV_FB_FREE", ("Hostname",), ("gpu",)),
    Panel(KEPLER, "Current Power Consumption By Zone", "kepler_node_cpu_watts", ZONE, ("zone",)),
    Panel(KEPLER, "Current Active Power Consumption By Zone", "kepler_node_cpu_active_watts", ZONE, ("zone",)),
    Panel(KEPLER, "Current Idle Power Consumption By Zone", "kepler_node_cpu_idle_watts", ZONE, ("zone",)),
    Panel(KEPLER, "CPU Info", "kepler_node_cpu_info", ("job",), ("instance", "model_name")),
    Panel(KEPLER, "RAPL Info", "kepler_node_cpu_watts", ("job",), ("node_name", "zone")),
    Panel(KEPLER, "Total Power Consumption (W) per Zone", "kepler_node_cpu_watts", ZONE, ("zone",)),
    Panel(KEPLER, "Node Power Consumption (W) By Zone", "kepler_node_cpu_watts", NODE, ("zone", "instance")),
    Panel(KEPLER, "Node Active Power Consumption (W) By Zone", "kepler_node_cpu_active_watts", NODE),
    Panel(KEPLER, "Node Idle Power Consumption (W) By Zone", "kepler_node_cpu_idle_watts", NODE),
    Panel(KEPLER, "Top 10 Power Consuming Processes (W) per Zone", "kepler_process_cpu_watts", ZONE, ("comm", "zone")),
    Panel(KEPLER, "Total Power Consumption of Processes (W) per Zone", "kepler_process_cpu_watts", ZONE, ("zone",)),
    Panel(KEPLER, "Process Power Consumption (W) By Zone", "kepler_process_cpu_watts", (*ZONE, "pid"), ("comm",)),
    Panel(
        KEPLER,
        "Top 10 Power Consuming Containers (W) per Zone",
        "kepler_container_cpu_watts",
        ZONE,
        ("container_name", "zone"),
    ),
    Panel(KEPLER, "Total Power Consumption of Containers (W) per Zone", "kepler_container_cpu_watts", ZONE, ("zone",)),
    Panel(KEPLER, "Container Power Consumption (W) By Zone", "kepler_container_cpu_watts", (*ZONE, "container_name")),
    Panel(
        KEPLER,
        "Top 10 Power Consuming Namespaces (W) per Zone",
        "kepler_pod_cpu_watts",
        ZONE,
        ("pod_namespace", "zone"),
    ),
    Panel(
        KEPLER,
        "Total Power Consumption of Pods in Namespace (W) per Zone",
        "kepler_pod_cpu_watts",
        (*ZONE, "pod_namespace"),
        ("zone",),
    ),
    Panel(KEPLER, "Pod Power Consumption (W) By Zone", "kepler_pod_cpu_watts", (*ZONE, *POD), ("pod_name",)),
    Panel(PODS, "Carbon Footprint", "kepler_pod_cpu_joules_total", ("zone", *POD)),
    Panel(PODS, "Pod Power Consumption (W) by Zone", "kepler_pod_cpu_joules_total", POD, (*POD, "zone")),
    Panel(PODS, "Total Power Consumption (W) by Zone", "kepler_pod_cpu_joules_total", POD, ("zone",)),
    Panel(PODS, "Total Energy (kWh / day) by Zone", "kepler_pod_cpu_joules_total", POD, ("zone",)),
    Panel(PODS, "Total Energy by Namespace", "kepler_pod_cpu_joules_total", ("zone", *POD), ("pod_namespace",)),
)

EMPTY = (
    Panel(DCGM, "GPU Temperature", "DCGM_FI_DEV_GPU_TEMP", HOST, HOST),
    Panel(DCGM, "GPU Avg. Temp", "DCGM_FI_DEV_GPU_TEMP", HOST),
    Panel(DCGM, "GPU SM Clocks", "DCGM_FI_DEV_SM_CLOCK", HOST, HOST),
    Panel(DCGM, "GPU Utilization", "DCGM_FI_PROF_GR_ENGINE_ACTIVE", HOST, HOST),
    Panel(DCGM, "Tensor Core Utilization", "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", HOST, HOST),
    Panel(DCGM, "GPU Framebuffer Mem Used", "DCGM_FI_DEV_FB_USED", HOST, HOST),
    Panel(KEPLER, "Top 10 Power Consuming VMs (W) per Zone", "kepler_vm_cpu_watts", ZONE, ("vm_name", "zone")),
    Panel(KEPLER, "Total Power Consumption of VMs (W) per Zone", "kepler_vm_cpu_watts", ZONE, ("zone",)),
    Panel(KEPLER, "VM Power Consumption (W) By Zone", "kepler_vm_cpu_watts", (*ZONE, "vm_name")),
)
"""What aipower does not measure."""
