from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.compare.build import compare
from aipower.compare.model import Comparison
from aipower.compare.plot import plot
from aipower.compare.quantities import amount, signed
from aipower.compare.render import WIDTH, render
from aipower.compare.sides import side
from compare.records import device, gpu_runs, record

BASE = (700.0, 703.0, 698.0, 701.0, 699.0)


def comparison(*factors: float, name: str = "fast") -> Comparison:
    sides = [side("base", gpu_runs("base", BASE))]
    sides += [
        side(f"{name}{n}", gpu_runs(f"{n}", [f * e for e in BASE], start_s=1000.0 * n))
        for n, f in enumerate(factors, 1)
    ]
    return compare(sides)


def test_a_report() -> None:
    shown = render(comparison(0.95)).splitlines()
    assert shown[0] == "aipower compare: energy of GPU"
    assert shown[3].split() == ["base", "5", "700.2", "J", "0.27", "%", "baseline"]
    assert shown[4].split()[:9] == ["fast1", "5", "665.2", "J", "0.27", "%", "-5.00", "%", "[-5.38"]
    assert any(line.startswith("  fast1 uses less energy than base: -5.00 %") for line in shown)
    assert any("wall time" in line for line in shown)


def test_colour_is_for_verdicts_and_only_where_it_is_asked_for() -> None:
    found = comparison(0.9)
    assert "\x1b" not in render(found)
    assert "\x1b[1;32m  fast1 uses less energy" in render(found, colour=True)
    assert "\x1b" not in render(comparison(1.0), colour=True)


def test_simulated_runs_are_called_so() -> None:
    one, two = (
        side(name, [record([device("gpu", 9.0 + n)], run_id=f"{name}{n}", simulated=True) for n in range(2)])
        for name in "ab"
    )
    assert "SIMULATED SENSORS: no measurement" in render(compare([one, two]))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=4),
    st.text(min_size=0, max_size=60),
)
def test_nothing_is_wider_than_the_terminal_nor_plays_with_it(factors: list[float], name: str) -> None:
    for verbose in (False, True):
        shown = render(comparison(*factors, name=name), verbose=verbose)
        assert max(len(line) for line in shown.split("\n")) <= WIDTH
        assert all(char.isprintable() or char == "\n" for char in shown)


@given(st.floats(-99, 900), st.floats(0.001, 500), st.floats(-99, 900), st.floats(0.001, 500))
def test_the_plot_keeps_the_order_of_its_marks(one: float, half: float, two: float, other: float) -> None:
    rows = [("a", one, (one - half, one + half)), ("b", two, (two - other, two + other))]
    lines = list(plot(rows))
    for line in lines[:2]:
        marks = line[22:]
        assert marks.count("o") == 1
        assert len(line) <= WIDTH
    places = [line[22:].index("o") for line in lines[:2]]
    assert (one <= two) == (places[0] <= places[1]) or places[0] == places[1]


def test_the_plot_of_a_difference_from_nothing() -> None:
    line = next(iter(plot([("a", -5.0, (-6.0, -4.0))])))
    middle, zero = line.index("o"), line.index(":")
    assert line.index("|") < middle < line.rindex("|") < zero


def test_no_rows_no_plot() -> None:
    assert list(plot([])) == []


def test_every_verdict_is_rendered() -> None:
    single = [side("base", gpu_runs("base", BASE[:1])), side("x", gpu_runs("x", [600.0]))]
    shown = " ".join(render(compare(single), verbose=True).split())
    assert "repeat both with aipower-run -r 5" in shown
    assert "one run each" in shown
    nothing = [single[0], side("n", [record([device("gpu", None)], run_id="n")])]
    assert "n cannot be compared with base" in render(compare(nothing))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.0123, "J/token", "12.30 mJ"), (2e-5, "J/token", "20 µJ"), (1234567, "J", "1.23 MJ"), (0.91, "", "0.91")],
)
def test_amounts(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text
    assert signed(-value, unit) == f"-{text}"
