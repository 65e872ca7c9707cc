"""Who is put in front of a command: nobody, and `aipower-run` in the ways in which it can measure."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.wrapping.figures import NONE
from benchmarks.wrapping.world import World

RUN = Path(sys.executable).parent / "aipower-run"
RECORD = "record.json"
BARE = "bare"
AGENT, HERE, CPU_ONLY = "aipower-run, agent", "aipower-run, no agent", "aipower-run, no agent, CPU only"

Argv = Callable[[Path, Sequence[str]], Sequence[str]]
"""Of a trial's folder and the command, what to start there."""
Account = Callable[[Path], float | None]
"""Of a trial's folder, the CPU seconds which the wrapper says that the command has used."""


class TrialError(Exception):
    """The command did not run, or its wrapper failed; the message says how."""


def tells_none(folder: Path) -> float | None:
    """For who tells no CPU time."""
    del folder
    return None


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to start a command."""

    name: str
    energy: str
    """What it gives the energy of, on this machine."""
    argv: Argv
    environ: Mapping[str, str] = field(default_factory=dict)
    account: Account = tells_none
    slow: bool = False
    """Takes seconds to start, and gets fewer repetitions."""
    asks_agent: bool = False


def ours(world: World) -> tuple[Arm, ...]:
    """Nobody, and us."""
    every = "device, run, process"
    return (
        Arm(BARE, NONE, _bare),
        Arm(AGENT, every, _run(), world.ours, recorded_by_agent_s, asks_agent=True),
        Arm(HERE, every, _run("--no-agent"), world.ours, recorded_cpu_s),
        Arm(CPU_ONLY, every, _run("--no-agent", "--sensors", "rapl"), world.ours, recorded_cpu_s),
    )


def recorded_cpu_s(folder: Path) -> float | None:
    """From the record of a run."""
    return float(_record(folder)["cpu_time_s"])


def recorded_by_agent_s(folder: Path) -> float | None:
    """As `recorded_cpu_s`.

    Raises:
        TrialError: It was not the agent who measured.
    """
    if (by := _record(folder)["measured_by"]) != "agent":
        raise TrialError(f"measured by {by}")
    return recorded_cpu_s(folder)


def _record(folder: Path) -> dict[str, Any]:
    """Raises TrialError where there is none."""
    try:
        return dict(json.loads((folder / RECORD).read_text()))
    except FileNotFoundError as error:
        raise TrialError("no record") from error


def _bare(folder: Path, command: Sequence[str]) -> Sequence[str]:
    del folder
    return command


def _run(*words: str) -> Argv:
    return lambda folder, command: [str(RUN), *words, "--json", str(folder / RECORD), *command]
