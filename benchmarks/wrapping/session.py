"""All arms that work on this machine, and the trials of them by turns."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.suite.table import Options
from benchmarks.wrapping.arms import Arm, TrialError, ours
from benchmarks.wrapping.build import build
from benchmarks.wrapping.commands import TRUE
from benchmarks.wrapping.trial import ERRORS, Trial, run_trial
from benchmarks.wrapping.turns import by_turns
from benchmarks.wrapping.world import World, agent_cpu_s, world
from benchmarks.wrapping.wrappers import others

SEED = 8
SETTLE_S, REST_S = 1.0, 4.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How often, and for how long at most."""

    quick: int
    """Repetitions of arms that start in less than a second."""
    slow: int
    """Of the others."""
    longest_s: float


@dataclass(frozen=True, slots=True)
class Session:
    """What can be measured here."""

    world: World
    arms: tuple[Arm, ...]
    left_out: tuple[str, ...]
    """One sentence for each arm that does not work here."""
    rest_share: float
    """Of a core, what the agent takes while nobody asks it for anything."""

    @property
    def has_others(self) -> bool:
        """True where rivals are measured too."""
        return any(arm.slow for arm in self.arms)

    def measure(self, what: str, command: Sequence[str], plan: Plan) -> dict[str, list[Trial]]:
        """The good trials of each arm; one that had none is left out."""
        say(f"wrapping: {what}")
        repeats = {arm.name: plan.slow if arm.slow else plan.quick for arm in self.arms}
        by_name = {arm.name: arm for arm in self.arms}
        once = _tolerant(lambda name: run_trial(by_name[name], self.world, command))
        results = by_turns(repeats, once, seed=SEED, longest_s=plan.longest_s)
        good = {name: [trial for trial in trials if trial is not None] for name, trials in results.items()}
        return {name: trials for name, trials in good.items() if trials}


@contextmanager
def session(options: Options) -> Iterator[Session]:
    """A session; each arm has run once, so that nothing is read from a disk or compiled for the first time."""
    folder = options.scratch / "wrapping"
    folder.mkdir(parents=True)
    with world(folder, build(folder / "bin")) as node:
        wanted: tuple[Arm, ...] = ours(node)
        left_out: tuple[str, ...] = ()
        if options.rivals is not None:
            rivals, missing = others(options.rivals.resolve())
            wanted, left_out = (*wanted, *rivals), tuple(f"{name} is not installed here." for name in missing)
        faults = {arm.name: _fault(arm, node) for arm in wanted}
        arms = tuple(arm for arm in wanted if not faults[arm.name])
        broken = tuple(f"{name} does not work here: {fault}." for name, fault in faults.items() if fault)
        yield Session(node, arms, left_out + broken, _rest_share(node.agent_pid))


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def _rest_share(pid: int) -> float:
    time.sleep(SETTLE_S)
    began_s, before_s = time.monotonic(), agent_cpu_s(pid)
    time.sleep(REST_S)
    return (agent_cpu_s(pid) - before_s) / (time.monotonic() - began_s)


def _fault(arm: Arm, node: World) -> str:
    """Why the arm does not work, empty if it does."""
    try:
        trial = run_trial(arm, node, TRUE)
    except TrialError as error:
        return f"{error} ({_last_line(node.folder / 'trial' / ERRORS)})"
    say(f"  {arm.name}: {1000 * trial.wall_s:.0f} ms the first time")
    return ""


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").split("\n") if path.exists() else []
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "it said nothing")


def _tolerant(once: Callable[[str], Trial]) -> Callable[[str], Trial | None]:
    """As `once`, but a failed trial is told of and is None."""

    def attempt(name: str) -> Trial | None:
        try:
            return once(name)
        except TrialError as error:
            say(f"  {name}: {error}")
            return None

    return attempt
