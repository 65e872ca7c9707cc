"""The parts of the suite that are about watching."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.suite.table import Options, Table
from benchmarks.watching import agent as agent_cost
from benchmarks.watching import growth as agent_growth


def agent(options: Options) -> Sequence[Table]:
    """What the agent and its rivals cost."""
    return agent_cost.tables(options)


def growth(options: Options) -> Sequence[Table]:
    """How the agent's cost grows with the node, and how soon it knows many new processes."""
    return agent_growth.tables(options)
