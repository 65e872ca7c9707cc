from __future__ import annotations

import pytest

from aipower.compare.build import compare
from aipower.compare.merits import merits_of
from aipower.compare.model import Direction, Pair, Question, Side
from aipower.compare.sides import side
from aipower.errors import UsageError
from compare.records import device, record

HIGHER = Question(directions={"accuracy": "higher"})
BOTH: dict[str, Direction] = {"accuracy": "higher", "loss": "lower"}


def runs(name: str, factor: float, accuracies: list[float], **metrics: float) -> Side:
    return side(
        name,
        [
            record(
                [device("gpu", factor * (700 + n % 3))],
                run_id=f"{name}{n}",
                metrics={"accuracy": accuracy, **metrics},
                start_s=n,
            )
            for n, accuracy in enumerate(accuracies)
        ],
    )


def pair_of(base: Side, other: Side, question: Question = HIGHER) -> Pair:
    return compare([base, other], question).pairs[0]


def test_a_saving_that_costs_results_is_told_so() -> None:
    pair = pair_of(runs("a", 1, [0.91, 0.912, 0.908]), runs("b", 0.9, [0.88, 0.882, 0.878]))
    assert pair.verdict == "less"
    assert pair.sentence.endswith(", but accuracy is worse: 0.91 -> 0.88")


def test_a_drop_within_the_spread_is_none() -> None:
    pair = pair_of(runs("a", 1, [0.91, 0.95, 0.87]), runs("b", 0.9, [0.90, 0.94, 0.86]))
    assert "accuracy" not in pair.sentence
    assert pair.merits[0].worse is False


def test_exact_figures_need_no_spread() -> None:
    merit = merits_of(runs("a", 1, [0.9] * 3), runs("b", 1, [0.89] * 3), {"accuracy": "higher"})[0]
    assert merit.interval == pytest.approx((-0.01, -0.01))
    assert merit.worse is True


def test_lower_is_better_for_a_loss() -> None:
    base, other = runs("a", 1, [0.9] * 3, loss=1.0), runs("b", 1, [0.9] * 3, loss=1.5)
    assert [merit.worse for merit in merits_of(base, other, BOTH)] == [False, True]
    assert [merit.worse for merit in merits_of(other, base, BOTH)] == [False, False]


def test_one_run_each_tells_a_drop_too() -> None:
    merit = merits_of(runs("a", 1, [0.9]), runs("b", 1, [0.8]), {"accuracy": "higher"})[0]
    assert merit.interval is None
    assert merit.worse is True


def test_a_saving_without_any_figure_of_merit_says_so() -> None:
    base, other = (
        side(name, [record([device("gpu", f * (700 + n))], run_id=f"{name}{n}") for n in range(3)])
        for name, f in (("a", 1.0), ("b", 0.8))
    )
    assert any("no figure of merit" in text for text in pair_of(base, other, Question()).warnings)


def test_a_figure_without_a_direction_is_shown_and_asked_about() -> None:
    pair = pair_of(runs("a", 1, [0.91] * 3), runs("b", 0.9, [0.5] * 3), Question())
    assert pair.merits[0].worse is None
    assert any("--higher accuracy" in text for text in pair.warnings)


def test_a_typing_error_is_not_taken_for_good_results() -> None:
    with pytest.raises(UsageError, match="they have accuracy"):
        pair_of(runs("a", 1, [0.9] * 2), runs("b", 1, [0.9] * 2), Question(directions={"acuracy": "higher"}))


def test_runs_without_a_figure_are_told() -> None:
    base = runs("a", 1, [0.9] * 3)
    other = side("b", [record([device("gpu", 600.0 + n)], run_id=f"b{n}") for n in range(2)])
    texts = compare([base, other]).pairs[0].warnings
    assert "accuracy was not told by 2 runs of b" in texts


def test_what_is_no_number_or_on_one_side_only_is_left_out() -> None:
    base, other = runs("a", 1, [0.9] * 3, only=1.0), runs("b", 1, [float("nan")] * 3)
    assert merits_of(base, other, {}) == []
