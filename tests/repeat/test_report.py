"""The report of a series: pure, so each line is tested by itself."""

import random

from msgspec.structs import replace

from aipower.record.page import Page
from aipower.run.repeat.options import SeriesOptions
from aipower.run.repeat.play import Play
from aipower.run.repeat.report import SHOWN_RUNS, render
from aipower.run.repeat.summary import summarize
from repeat.records import plays, record

SERIES = "20261128T133214Z-00000001"
OPTIONS = SeriesOptions(("python", "train.py"), 3, warmup=2, name="base")


def report(of: list[Play], options: SeriesOptions = OPTIONS, notes: tuple[str, ...] = ()) -> str:
    return render(summarize(options, SERIES, of, 0, notes), of, Page(saved=True))


def test_whole_report() -> None:
    assert report(plays(811.2, 813.0, 808.5, walls_s=[12.31, 12.29, 12.40])) == (
        "aipower: python train.py [base]  3 repetitions after 2 warm-ups\n"
        "  1          811.2 J   12.31 s  exit 0\n"
        "  2          813.0 J   12.29 s  exit 0\n"
        "  3          808.5 J   12.40 s  exit 0\n"
        "  mean     810.9 J  [805.3 .. 816.5 J]  ±0.69 % of 3 by their spread, 95 %\n"
        "  spread   2.26 J (0.28 %) deviation, 808.5 J .. 813.0 J\n"
        "  absolute [770.0 .. 851.8 J]  with the sensors' scale, which repeats: no spread shows it\n"
        "  wall     12.33 s  [12.19 s .. 12.48 s]\n"
        f"  next     aipower runs --series {SERIES}   its runs one by one\n"
        f"           aipower compare {SERIES} OTHER   does another series use less?\n"
    )


def test_kinds_have_lines_where_there_are_several() -> None:
    series = [
        Play(play.index, 0, replace(play.record, energy_j=replace(play.record.energy_j, cpu=100.0 + play.index)))
        for play in plays(800.0, 810.0)
    ]
    lines = report(series).splitlines()
    assert any(line.startswith("  GPU      805.0 J  [") for line in lines)
    assert any(line.startswith("  CPU      101.5 J  [") for line in lines)


def test_one_repetition_shows_no_spread() -> None:
    text = report(plays(811.2), SeriesOptions(("true",), 1))
    assert "mean     811.2 J  of 1: one repetition shows no spread" in text
    assert "spread   " not in text
    assert "absolute [770.6 .. 851.8 J]" in text


def test_nothing_measured() -> None:
    text = report([Play(1, 0, record(None, devices={}, estimated_j=12.0))])
    assert "mean     no energy was measured" in text
    assert "CPU      12.00 J  estimated from CPU time, not in the mean" in text
    assert "compare" not in text


def test_all_failed() -> None:
    text = report([Play(1, 3, record(1.0, exit_code=3))])
    assert "mean     no repetition has succeeded" in text
    assert "repetition 1 failed: in no mean" in text
    assert "  exit 3" in text


def test_doubts_are_told() -> None:
    steady = [100.0, 101.0, 99.5, 100.5, 99.0, 100.2, 100.8]
    assert "warning  repetition 1 took 30 % more than the others: --warmup 1 leaves such a one out" in report(
        plays(130.0, *steady)
    )
    assert "warning  repetition 4 stands out: did something else run meanwhile?" in report(
        plays(*steady[:3], 150.0, *steady[3:])
    )
    assert "warning  repetitions 4, 9 stand out" in report(plays(*steady[:3], 150.0, *steady[3:], 50.0, *steady))
    assert "warning  the energy has risen by 17 % over the series" in report(
        plays(*[100.0 + 2 * n for n in range(10)])
    )
    assert "warning  the energy has fallen by 17 % over the series" in report(
        plays(*[100.0 - 2 * n for n in range(9)])
    )


def test_steady_series_has_no_warning() -> None:
    dice = random.Random(7)
    assert "warning" not in report(plays(*[dice.gauss(100, 2) for _ in range(20)]))


def test_warm_starts_are_marked_and_told() -> None:
    series = plays(10.0, 10.0, 10.0)
    series[1] = replace(series[1], warm={"GPU-0": (90.0, 70.0)})
    series[2] = replace(series[2], warm={"GPU-0": (95.0, 70.0)})
    text = report(series)
    assert text.count("exit 0  started warm") == 2
    assert "note     repetitions 2, 3 started warm: GPU-0 drew 95 W, 70 W before the series" in text


def test_what_was_left_out_is_told() -> None:
    series = [*plays(10.0, 10.0), Play(3, 0, record(1.0, complete=False))]
    assert "note     repetition 3: not all of the energy is known, so not in the means of energy" in report(series)


def test_amounts_have_intervals() -> None:
    series = [
        Play(1, 0, record(10.0, metrics={"accuracy": 0.91}, per={"token": 0.0021})),
        Play(2, 0, record(10.0, metrics={"accuracy": 0.93}, per={"token": 0.0023})),
    ]
    text = report(series)
    assert "per unit 0.0022 J/token  [" in text
    assert "metric   accuracy 0.92  [" in text


def test_long_series_is_cut() -> None:
    text = report(plays(*[10.0] * (SHOWN_RUNS + 5)))
    assert "and 5 more in the --json file" in text
    assert text.count("exit 0") == SHOWN_RUNS


def test_interrupted_series_says_so() -> None:
    text = report(plays(10.0, 11.0), notes=("interrupted: the figures are those of the repetitions so far",))
    assert "2 of 3 repetitions" in text
    assert "note     interrupted" in text


def test_foreign_words_do_not_play_with_the_terminal() -> None:
    options = SeriesOptions(("evil\x1b[2J\n",), 1, name="\x07bell")
    text = report([Play(1, 0, record(1.0, metrics={"a\x1b": 1.0}, per={"b\n": 1.0}))], options)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert all(line.startswith(("aipower: ", "  ")) for line in text.splitlines())


def test_simulated_figures_are_called_so() -> None:
    assert "SIMULATED SENSORS" in report([Play(1, 0, record(1.0, simulated=True))])


def test_runs_that_are_not_kept_offer_nothing_to_do_with_them() -> None:
    series = plays(10.0, 11.0)
    assert "next" not in render(summarize(OPTIONS, SERIES, series, 0, []), series, Page())


def test_narrow_terminal_gets_wrapped_lines() -> None:
    series = plays(811.2, 813.0, 808.5)
    text = render(summarize(OPTIONS, SERIES, series, 0, []), series, Page(columns=50, saved=True))
    assert max(map(len, text.splitlines()[1:])) <= 50


def test_colours_are_for_terminals_that_want_them() -> None:
    series = plays(811.2, 813.0, 808.5)
    summary = summarize(OPTIONS, SERIES, series, 0, [])
    assert "\x1b[" in render(summary, series, Page(color=True))
    assert "\x1b[" not in render(summary, series, Page())
