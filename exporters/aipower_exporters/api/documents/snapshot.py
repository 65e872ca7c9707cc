"""The node now."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from aipower_exporters.api.documents.common import AT_TEXT, NUMBER_TEXT, SCHEMA_TEXT, EnergyParts, PowerParts
from aipower_exporters.api.documents.device import Device
from aipower_exporters.api.documents.footprint import Footprint
from aipower_exporters.api.documents.health import AgentCost, Fault, Journal, Missing, Sink
from aipower_exporters.api.documents.units import Count, Joules, Seconds, UnixSeconds, Watts, about


class Condition(Struct, frozen=True):
    """Whether the agent does its work."""

    status: Annotated[Literal["ok", "starting", "stale", "stopping"], about("In one word.")]
    reason: Annotated[str, about("Why not, for people; empty while all is well.")]
    sample_age_s: Annotated[Seconds | None, about("Age of the newest sample; null before the first.")]


class Total(Struct, frozen=True):
    """All devices of the kinds gpu, cpu and dram together: the others contain them."""

    power_w: Annotated[Watts | None, about("Power now of those that are up; null while none is.")]
    power_half_w: Annotated[Watts | None, about("Half-width of the 95 % interval of the power.")]
    window_w: Annotated[Watts | None, about("Sum of the mean powers of the devices' newest windows.")]
    energy_j: Annotated[Joules, about("Energy since the counters began.")]
    energy_half_j: Annotated[Joules | None, about("Half-width of the 95 % interval of the energy.")]
    components_j: Annotated[EnergyParts, about("Where the energy went.")]
    components_w: Annotated[PowerParts | None, about("Where the power of the newest windows went.")]
    devices: Annotated[Count, about("Number of devices of these kinds.")]
    up: Annotated[Count, about("Number of those whose sensor works.")]


class Snapshot(Struct, frozen=True):
    """What the node draws and has used, and how the agent does."""

    schema: Annotated[str, SCHEMA_TEXT]
    number: Annotated[Count, NUMBER_TEXT]
    at_unix_s: Annotated[UnixSeconds, AT_TEXT]
    host: Annotated[str, about("Name of the node.")]
    version: Annotated[str, about("Version of the agent.")]
    boot: Annotated[str, about("The kernel's boot id.")]
    agent_started_unix_s: Annotated[UnixSeconds | None, about("When the agent started; another one has restarted.")]
    counters_since_unix_s: Annotated[UnixSeconds | None, about("When the energy counters began at 0.")]
    interval_s: Annotated[Seconds, about("The sensors are read this often.")]
    process_interval_s: Annotated[Seconds, about("The power of CPUs is split between processes this often.")]
    history_s: Annotated[Seconds, about("How far the history goes back.")]
    condition: Annotated[Condition, about("Whether the agent does its work.")]
    total: Annotated[Total, about("The node as a whole.")]
    footprint: Annotated[Footprint | None, about("Null where neither a price nor an intensity is configured.")]
    devices: Annotated[list[Device], about("All devices.")]
    missing: Annotated[list[Missing], about("Sources of data that this machine has not.")]
    faults: Annotated[list[Fault], about("Faults that have happened; those that have not are left out.")]
    sinks: Annotated[list[Sink], about("Where the agent pushes to.")]
    journal: Annotated[Journal | None, about("Null where the counters are not kept on disk.")]
    agent: Annotated[AgentCost, about("What the agent itself costs.")]
