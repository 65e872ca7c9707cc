"""What a device draws without work: the bare idle level, and the step that an open context adds."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from aipower.attribution.idle import LEARN_S, TIMING_S, Z_95, IdleLevel, Lowest, LowQuantile, most_w
from aipower.model import EnergyDelta, Usage

__all__ = ["Baseline", "CpuBaseline", "Floor", "GpuBaseline", "LowQuantile"]

MAX_CONTEXT_W = 100.0
"""Measured steps are 26 to 66 W (arXiv 2605.23918); more than this is work, not a parked context."""
STEP_SE = 0.01
"""Standard error of the step as a share of the level with contexts: cards at rest drift by so much (science of D)."""
QUIET_LOAD = 0.05
"""A processor busier than this share of its capacity is not idle."""
UNSEEN_FACTOR, UNSEEN_W = 1.1, 5.0
"""A window that nobody seems to use, with more than idle x factor + watts, was used by someone unseen."""
LOWEST_WINDOWS = 600
"""Windows among which the lowest is looked for: twenty minutes of an agent."""


class Floor(Struct, frozen=True, gc=False):
    """The part of a delta that is not work, in microjoules; `known` is False where it is a fall-back."""

    idle_uj: int
    context_uj: int = 0
    known: bool = True
    idle_se_uj: float = 0.0
    """Standard error of the idle part, the same in all windows; what is not idle is off by as much."""
    context_se_uj: float = 0.0
    """Standard error of the contexts' part for the step's sake, the same in all windows; work is off by as much."""


class Baseline(Protocol):
    """Learns a device's floor from its windows."""

    def observe(self, delta: EnergyDelta, usage: Usage) -> None:
        """Learn from one window."""
        ...

    def floor(self, delta: EnergyDelta, usage: Usage) -> Floor:
        """The floor of one window; idle + context never exceed its energy."""
        ...

    def seed(self, idle_w: float) -> None:
        """Begin with a level that was learned or read before."""
        ...

    @property
    def idle_w(self) -> float | None:
        """The idle level that was learned, in watts; None while it is not known."""
        ...


class GpuBaseline:
    """A GPU's bare idle level, seen only while nobody holds a context, and the step while contexts are parked.

    An idle level that was never seen is 0 and not known: everything is then the holders' doing, uncertain by what
    the lowest window allows for idle.
    """

    def __init__(self) -> None:
        self._bare = IdleLevel(LOWEST_WINDOWS)
        self._parked = LowQuantile()
        self._was_held = True

    def observe(self, delta: EnergyDelta, usage: Usage) -> None:
        """Learn from one window: what it draws caps the idle level, whoever works in it."""
        held, busy, span_s = _held(usage), _busy(usage), delta.span_s
        steady, self._was_held = held == self._was_held, held
        if held or busy:
            self._bare.cap(delta.energy_uj, span_s)
        if not steady or busy or span_s < LEARN_S:
            return
        if not held:
            self._bare.add(delta.mean_w)
        elif usage.sampled:
            self._parked.add(delta.mean_w)

    def seed(self, idle_w: float) -> None:
        """Take one reading of a device that nobody holds as a bound of its idle level."""
        self._bare.seed(idle_w)
        self._was_held = False

    @property
    def idle_w(self) -> float | None:
        """The bare level in watts; None while nobody has seen it."""
        return self._bare.value_w

    def floor(self, delta: EnergyDelta, usage: Usage) -> Floor:
        """Idle, and the step if a context is held.

        Where nobody holds or works all is idle, unless it is well above the idle level: then someone unseen worked.
        """
        bare_w, held = self._bare.value_w, _held(usage)
        if not held and not _busy(usage):
            return _unheld(delta, bare_w)
        if bare_w is None:
            return Floor(0, 0, known=False, idle_se_uj=_possible_uj(delta, self._bare.lowest_w) / Z_95)
        idle_uj, span_s = _within(delta, bare_w), delta.span_s
        idle_se_uj = min(self._bare.se_w * span_s * 1e6, float(delta.energy_uj))
        step_w = self._step_w(bare_w) if held else 0.0
        context_uj = min(delta.energy_uj - idle_uj, round(step_w * span_s * 1e6))
        context_se_uj = STEP_SE * (bare_w + step_w) * span_s * 1e6 if step_w else 0.0
        return Floor(idle_uj, context_uj, idle_se_uj=idle_se_uj, context_se_uj=context_se_uj)

    def _step_w(self, bare_w: float) -> float:
        parked_w = self._parked.value_w
        return 0.0 if parked_w is None else min(max(parked_w - bare_w, 0.0), MAX_CONTEXT_W)


class CpuBaseline:
    """A processor's or memory's static power, seen while the machine is nearly idle.

    Until that was seen, the share of capacity that nobody used counts as idle (formula C0 of the science notes),
    which errs by about 30 % on one process but never charges a lone small one with the whole socket. Up to all of the
    lowest window may be static, so the processes' parts are uncertain by that.
    """

    def __init__(self) -> None:
        self._quiet = LowQuantile()
        self._lowest = Lowest(LOWEST_WINDOWS)

    def observe(self, delta: EnergyDelta, usage: Usage) -> None:
        """Learn from a window: a quiet one tells the level, any other bounds it."""
        if usage.capacity_s and _load(usage) <= QUIET_LOAD:
            self._quiet.add(delta.mean_w)
        elif (bound_w := most_w(delta.energy_uj, delta.span_s)) is not None:
            self._lowest.add(bound_w)

    def seed(self, idle_w: float) -> None:
        """Take a level that was learned before."""
        self._quiet.add(idle_w)

    @property
    def idle_w(self) -> float | None:
        """The power of quiet windows in watts; None before there was one."""
        return self._quiet.value_w

    def floor(self, delta: EnergyDelta, usage: Usage) -> Floor:
        """The static part."""
        quiet_w = self._quiet.value_w
        if quiet_w is not None:
            return Floor(_within(delta, quiet_w))
        idle_uj = min(delta.energy_uj, round(delta.energy_uj * (1 - _load(usage))))
        possible_uj = _possible_uj(delta, self._lowest.value_w)
        return Floor(idle_uj, known=False, idle_se_uj=max(0, possible_uj - idle_uj) / Z_95)


def _unheld(delta: EnergyDelta, bare_w: float | None) -> Floor:
    """All is idle, unless there is more than the level and one update from beyond the window's edge explain."""
    if bare_w is None:
        return Floor(delta.energy_uj)
    explained_uj = (bare_w * UNSEEN_FACTOR + UNSEEN_W) * (delta.span_s + TIMING_S) * 1e6
    if delta.energy_uj <= explained_uj:
        return Floor(delta.energy_uj)
    return Floor(_within(delta, bare_w))


def _within(delta: EnergyDelta, watts: float) -> int:
    """Energy of `watts` during `delta`, at most all of it, in microjoules."""
    return min(delta.energy_uj, round(watts * delta.span_s * 1e6))


def _possible_uj(delta: EnergyDelta, lowest_w: float | None) -> int:
    """The most that can be idle: true idle lies between 0 and the lowest window seen, or this one.

    As a half-width of a 95 % interval, so that `part - possible idle` is its lower end.
    """
    return delta.energy_uj if lowest_w is None else _within(delta, lowest_w)


def _held(usage: Usage) -> bool:
    return bool(usage.holders) or usage.unknown_holders > 0


def _busy(usage: Usage) -> bool:
    return bool(usage.busy_s) or usage.unknown_busy_s > 0


def _load(usage: Usage) -> float:
    """Share of the capacity in use, from 0 to 1."""
    busy_s = sum(usage.busy_s.values()) + usage.unknown_busy_s
    return min(1.0, busy_s / usage.capacity_s) if usage.capacity_s else 1.0
