"""All that can be asked, told once: paths, parameters and documents."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from aipower.site.history import MOST_STEPS
from aipower_exporters.api import paths
from aipower_exporters.api.documents.history import HistoryDoc
from aipower_exporters.api.documents.index import Index
from aipower_exporters.api.documents.jobs import Jobs
from aipower_exporters.api.documents.live import Live
from aipower_exporters.api.documents.power import Power
from aipower_exporters.api.documents.processes import Processes
from aipower_exporters.api.documents.runs import Runs
from aipower_exporters.api.documents.snapshot import Snapshot
from aipower_exporters.api.limits import DEFAULT_LIMIT, LEAST_STEP_S, MOST_DEVICES, MOST_PROCESSES, MOST_STEP_S

JsonSchema = Mapping[str, Any]
TIME: JsonSchema = MappingProxyType({"type": "number", "x-unit": "s"})
AGO = "Unix seconds, or a negative number for seconds before now"


class Parameter(Struct, frozen=True):
    """What may stand after the question mark."""

    name: str
    text: str
    schema: JsonSchema
    listed: bool = False
    """Several values with commas between them."""


class Entry(Struct, frozen=True):
    """What can be asked at one path."""

    path: str
    title: str
    text: str
    document: type[msgspec.Struct] | None
    """None for the OpenAPI document."""
    parameters: tuple[Parameter, ...] = ()
    sampled: bool = True
    """True where there is no answer before the first sample."""
    tagged: bool = False
    """True where there is an entity tag."""
    mistakes: tuple[str, ...] = ()
    """Examples of errors."""


SORT = Parameter(
    "sort",
    "What the list is sorted by, the most first.",
    {"type": "string", "enum": ["power", "energy"], "default": "power"},
)
LIMIT = Parameter(
    "limit",
    "How many processes are listed at most.",
    {"type": "integer", "minimum": 1, "maximum": MOST_PROCESSES, "default": DEFAULT_LIMIT},
)
DEVICE = Parameter(
    "device",
    "Ids of devices; all of the kinds gpu, cpu and dram if it is left out. One that is not known has no power.",
    {"type": "array", "items": {"type": "string", "pattern": "^[^,]+$"}, "maxItems": MOST_DEVICES},
    listed=True,
)
AFTER = Parameter("after", f"{AGO}; give the last `next` to get what came since. All if it is left out.", TIME)
FROM = Parameter("from", f"{AGO}; five minutes ago if it is left out.", TIME)
TO = Parameter("to", f"{AGO}; now if it is left out.", TIME)
STEP = Parameter(
    "step",
    f"Length of a step; one that fits a chart if it is left out. There are {MOST_STEPS} steps at most.",
    {"type": "number", "minimum": LEAST_STEP_S, "maximum": MOST_STEP_S, "x-unit": "s"},
)
BY = Parameter(
    "by",
    "What the layers are.",
    {"type": "string", "enum": ["component", "process", "device"], "default": "component"},
)
HISTORY_AFTER = Parameter("history_after", f"{AGO}; as `from` of the history: give the last `history.next`.", TIME)
INCLUDE = Parameter(
    "include",
    "The parts that are wanted beside the power.",
    {
        "type": "array",
        "items": {"type": "string", "enum": ["snapshot", "processes", "jobs", "history"]},
        "default": ["snapshot"],
    },
    listed=True,
)
UNKNOWN = "'limt': unknown parameter; did you mean limit?"
NO_NUMBER = "after: expected a number of seconds, not 'yesterday'"
TOO_MANY = "step: more than 5000 steps; ask for step=4.33 or more, or for a later from"

ENTRIES = (
    Entry(paths.ROOT, "What there is", "The paths of all resources.", Index, sampled=False),
    Entry(
        paths.OPENAPI, "This document", "The description of the API in OpenAPI 3.1.", None, sampled=False, tagged=True
    ),
    Entry(
        paths.SNAPSHOT,
        "The node now",
        "Power, energy and health of all devices, and of the agent. It changes with each sample.",
        Snapshot,
        tagged=True,
    ),
    Entry(
        paths.PROCESSES,
        "Who uses the node, by process",
        "The processes and the accounts sum to the total: energies exactly, powers but for rounding.",
        Processes,
        (SORT, LIMIT),
        tagged=True,
        mistakes=(UNKNOWN, "sort: unknown word 'watts'; there are power, energy"),
    ),
    Entry(paths.JOBS, "Who uses the node, by job", "Jobs, and by user what is in no job.", Jobs, tagged=True),
    Entry(
        paths.RUNS,
        "Runs of aipower run",
        "Those that go on and those that were. Looked up every two seconds at most.",
        Runs,
        tagged=True,
    ),
    Entry(
        paths.POWER,
        "Power at full rate",
        "What the sensors have shown at each tick of about the last five minutes.",
        Power,
        (AFTER, DEVICE),
        mistakes=(NO_NUMBER,),
    ),
    Entry(
        paths.HISTORY,
        "Power over hours",
        "Means over equal steps of time with their 95 % intervals, stacked by component, process or device.",
        HistoryDoc,
        (FROM, TO, STEP, BY, DEVICE),
        mistakes=(TOO_MANY, "to: it is before from; give a later time, or leave it out for now"),
    ),
    Entry(
        paths.LIVE,
        "What a page polls",
        "Several documents in one answer; what is not asked for is null.",
        Live,
        (AFTER, DEVICE, STEP, BY, HISTORY_AFTER, INCLUDE),
        mistakes=(NO_NUMBER,),
    ),
)

PARAMETERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {entry.path: tuple(parameter.name for parameter in entry.parameters) for entry in ENTRIES}
)
"""The names of the parameters that each path takes."""
