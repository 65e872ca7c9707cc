"""What a phase usually draws, and where edges are."""

from __future__ import annotations

import random

import pytest

from aipower.model import EnergyDelta
from aipower.record.phases.usual import FEWEST_EDGES, MOST_KINDS, SHARPEST_S, Timing, Usual
from fakes import GPU

TRAIN = (("train",),)


def test_nothing_is_known_of_what_was_never_seen() -> None:
    assert Usual().level(TRAIN) is None


def test_a_single_piece_is_a_vague_level() -> None:
    usual = Usual()
    usual.see(TRAIN, 300.0)
    level = usual.level(TRAIN)
    assert level is not None
    assert (level.power_w, level.se_w) == (300.0, 30.0)


def test_many_pieces_tell_their_spread() -> None:
    usual, chance = Usual(), random.Random(1)
    for _ in range(500):
        usual.see(TRAIN, chance.gauss(300.0, 10.0))
    level = usual.level(TRAIN)
    assert level is not None
    assert level.power_w == pytest.approx(300.0, abs=5.0)
    assert level.se_w == pytest.approx(10.0, abs=3.0)


def test_kinds_are_bounded() -> None:
    usual = Usual()
    for number in range(MOST_KINDS + 10):
        usual.see(((str(number),),), 1.0)
    assert len(usual._means) == MOST_KINDS


def piece(number: int) -> EnergyDelta:
    return EnergyDelta(GPU, number * 0.1, number * 0.1 + 0.1, 20_000_000)


def test_edges_show_how_well_instants_are_known() -> None:
    timing, chance = Timing(), random.Random(1)
    for number in range(200):
        timing.see(piece(number), chance.gauss(0.0, 0.003) * 200.0 * 1e6, 200.0, 1e4)
    assert timing.se_s(0.03) == pytest.approx(0.003, rel=0.5)


def test_a_few_edges_and_vague_ones_show_nothing() -> None:
    timing = Timing()
    for number in range(FEWEST_EDGES - 1):
        timing.see(piece(number), 0.0, 200.0, 0.0)
    for _ in range(9):
        timing.see(piece(0), 0.0, 200.0, 0.0)  # the same piece again
    timing.see(piece(50), 0.0, 1.0, 1e6)  # its levels hardly differ
    assert timing.se_s(0.03) == 0.03


def test_no_edge_is_known_better_than_publication_is() -> None:
    assert Timing().se_s(0.0) == SHARPEST_S
