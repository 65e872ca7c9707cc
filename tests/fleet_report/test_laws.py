"""Laws of the parts: growth of counters, curves, intervals, selectors, names of nodes, moments."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import UsageError
from aipower.fleet import names
from aipower.fleet.answers import NoAnswerError, parse, series_of, texts_of
from aipower.fleet.curves import Steps, power_of
from aipower.fleet.errors import of_account, of_device
from aipower.fleet.growth import Growth, Window, growth_of
from aipower.fleet.nodes import Labelling, Node, own_of, shown_names
from aipower.fleet.selectors import Selector, any_of, matcher, quoted
from aipower.fleet.summary import Summary, SummaryRow
from aipower.fleet.summaryview import COLUMNS, to_csv, to_json
from aipower.runs.options import UNITS_S, WORDS, moment_ago
from aipower_exporters.metrics import METRICS

NOW_S = 1_795_000_000.0
ADDED = st.lists(st.floats(0, 1e6), min_size=1, max_size=30)


def points_of(added: list[float], start_s: float = 0.0) -> list[tuple[float, float]]:
    total, points = 0.0, []
    for number, more in enumerate(added, 1):
        total += more
        points.append((start_s + 15.0 * number, total))
    return points


@given(ADDED)
def test_a_counter_that_began_at_0_grew_by_what_was_added(added: list[float]) -> None:
    growth = growth_of(points_of(added), 0.0, began=True)
    assert growth.value == pytest.approx(sum(added))
    assert (growth.resets, growth.based) == (0, True)


@given(ADDED, st.integers(0, 30))
def test_two_windows_make_one(added: list[float], cut: int) -> None:
    points = points_of(added)
    cut_s = 15.0 * min(cut, len(points))
    first = growth_of([point for point in points if point[0] <= cut_s], 0.0, began=True)
    second = growth_of(points, cut_s, began=True)
    assert first.value + second.value == pytest.approx(sum(added))


@given(st.lists(st.lists(st.floats(10, 1e6), min_size=2, max_size=5), min_size=1, max_size=5))
def test_what_was_lost_of_a_counter_is_counted_again_from_0(lives: list[list[float]]) -> None:
    points, end_s = [], 0.0
    for life in lives:
        # Every life ends higher than twice where the next one begins.
        points += points_of([1.0, *life], end_s)
        end_s = points[-1][0]
    growth = growth_of(points, 0.0, began=True)
    assert growth.value == pytest.approx(sum(1.0 + sum(life) for life in lives))
    assert growth.resets == len(lives) - 1


def test_a_counter_that_falls_a_little_began_at_no_0() -> None:
    growth = growth_of([(15, 100.0), (30, 99.0), (45, 120.0)], 0.0, began=True)
    assert (growth.value, growth.resets) == (120.0, 0)


def test_a_counter_of_which_the_beginning_is_not_known() -> None:
    growth = growth_of([(15, 100.0), (30, 120.0)], 0.0, began=False)
    assert (growth.value, growth.based) == (20.0, False)
    assert growth_of([(0, 90.0), (15, 100.0)], 0.0, began=False).value == 10.0


@given(ADDED, st.floats(1, 200))
def test_a_curve_has_the_energy_of_its_counter(added: list[float], step_s: float) -> None:
    points = [(0.0, 0.0), *points_of(added)]
    steps = Steps(Window(0.0, points[-1][0]), step_s)
    curve = power_of(points, steps, [])
    edges_s = steps.edges_s()
    assert len(curve) == steps.count == len(edges_s) - 1
    energy_j = sum(
        (watts or 0.0) * (end_s - start_s) for watts, (start_s, end_s) in zip(curve, pairwise(edges_s), strict=True)
    )
    assert energy_j == pytest.approx(sum(added), abs=1e-6)


def test_a_hole_is_a_hole() -> None:
    steps = Steps(Window(0.0, 60.0), 15.0)
    assert power_of([(0, 0), (15, 15), (60, 60)], steps, [Window(15, 60)]) == [1.0, None, None, None]
    assert power_of([(30, 5)], steps, []) == [None, None, 0.0, 0.0]


@given(st.floats(1, 1e9), st.floats(0, 1), st.floats(0, 0.5))
def test_a_part_of_an_account_is_as_sure_as_it_can_be(whole_j: float, share: float, relative: float) -> None:
    whole = of_account(Growth(whole_j, whole_j), relative * whole_j, "gpu")
    low_j, high_j = whole.absolute_j
    assert (high_j - low_j) / 2 == pytest.approx(min(relative, 1.0) * whole_j, rel=1e-6, abs=1e-6)
    part = of_account(Growth(share * whole_j, whole_j), relative * whole_j, "gpu")
    assert part.own_j >= share * whole.own_j * (1 - 1e-9)
    assert part.scales_j["gpu"] == pytest.approx(share * whole.scales_j["gpu"])


def test_a_device_has_the_offset_of_its_sensor() -> None:
    assert of_device(1000.0, 10.0, "gpu").absolute_j[1] == pytest.approx(1000 + (50**2 + 120**2) ** 0.5)
    assert of_device(1000.0, 10.0, "cpu", 3.0, 4.0).absolute_j == pytest.approx((1000 - 53, 1000 + 54))


@given(st.text(min_size=1))
def test_a_string_of_a_query_is_one_string(text: str) -> None:
    shown = quoted(text)
    assert "\n" not in shown
    assert json.loads(shown.replace("\t", "\\t"), strict=False) == text


def test_selectors() -> None:
    job = Selector("m", ('c="x"',), (("system", "slurm"), ("job", "7")))
    assert job.texts() == [
        'm{system="slurm",job="7",exported_job="",c="x"}',
        'm{system="slurm",exported_job="7",c="x"}',
    ]
    assert Selector("m").over("max_over_time", 90) == "max_over_time(m{}[90000ms])"
    assert any_of("i", ["b.c", "a"]) == 'i=~"a|b\\\\.c"'


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("cluster=x", 'cluster="x"'),
        ('cluster="x"', 'cluster="x"'),
        (' cluster =~ "x|y" ', 'cluster=~"x|y"'),
        ('a!="\\"}"', 'a!="\\"}"'),
        ("a!~b.*", 'a!~"b.*"'),
    ],
)
def test_matchers(told: str, meant: str) -> None:
    assert matcher(told) == meant


@pytest.mark.parametrize("told", ["", "x", "=x", "1a=x", "a=", 'a="x', 'a="x",b="y"', 'a="x"} or up{', "a=x y"])
def test_what_is_no_matcher(told: str) -> None:
    with pytest.raises(UsageError, match="one label and its value"):
        matcher(told)


def test_nodes_by_their_labels() -> None:
    usual = Labelling()
    assert usual.node_of({"instance": "n1:9877", "job": "aipower"}) == Node("", "n1:9877")
    assert usual.node_of({"instance": "10.0.0.1:9877", "node": "n1", "cluster": "x"}) == Node("x", "n1")
    assert Labelling("host", "zone").node_of({"host": "h", "node": "n", "zone": "z"}) == Node("z", "h")
    assert Labelling("host").node_of({"node": "n"}) == Node("", "node")


def test_what_nodes_are_called() -> None:
    def shown(*nodes: Node) -> list[str]:
        return list(shown_names(nodes).values())

    assert shown(Node("", "n1:9877"), Node("", "n2:9877")) == ["n1", "n2"]
    assert shown(Node("", "n1:1"), Node("", "n1:2")) == ["n1:1", "n1:2"]
    assert shown(Node("x", "n1:1"), Node("y", "n1:1")) == ["x/n1", "y/n1"]
    assert shown(Node("x", "[::1]:9877")) == ["::1"]
    assert shown(Node("", "fe80::1")) == ["fe80::1"]


def test_labels_that_prometheus_has_renamed() -> None:
    renamed = {"job": "aipower", "exported_job": "7", "pod": "agent-x", "exported_pod": "vllm-0", "instance": "i"}
    assert own_of(renamed) == {"job": "7", "pod": "vllm-0"}
    assert own_of({"job": "aipower", "system": "idle"}) == {"system": "idle"}


def test_the_names_are_those_of_the_table() -> None:
    table = {metric.name: metric for metric in METRICS}
    asked = [value for name, value in vars(names).items() if name.isupper() and str(value).startswith("aipower_")]
    assert len(asked) >= 18
    assert set(asked) <= table.keys()
    labels = {label for name in asked for label in table[name].labels}
    assert labels <= set(names.OWN_LABELS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["metric", "value", "values", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)
DATA = st.fixed_dictionaries(
    {"resultType": st.sampled_from(["vector", "matrix", "scalar"]), "result": JSON | st.lists(JSON, max_size=3)}
)
WRAPPED = st.fixed_dictionaries(
    {"status": st.sampled_from(["success", "success", "error", 1]), "data": JSON | DATA},
    optional={"warnings": JSON, "error": JSON, "isPartial": JSON},
)


@given(JSON | WRAPPED)
def test_any_answer_is_series_or_none(told: object) -> None:
    made: object = None
    for make in (series_of, texts_of):
        try:
            made = make(parse(json.dumps(told).encode()))
        except NoAnswerError as error:
            made = [str(error)]
        assert isinstance(made, list)


@given(st.binary(max_size=40))
def test_any_bytes_are_no_answer(told: bytes) -> None:
    with pytest.raises(NoAnswerError):
        parse(told)


@given(
    st.integers(0, 10_000),
    st.sampled_from([*UNITS_S, *WORDS, *(f"{word}s" for word in WORDS)]),
    st.booleans(),
    st.booleans(),
)
def test_ages(count: int, unit: str, apart: bool, ago: bool) -> None:
    text = f"{count}{' ' if apart else ''}{unit}{' ago' if ago else ''}"
    known = UNITS_S.get(unit) or UNITS_S[WORDS[unit.removesuffix("s")]]
    assert moment_ago(text, NOW_S) == NOW_S - count * known


@given(st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - the zone is put in below
def test_moments_of_rfc_3339(naive: datetime) -> None:
    moment = naive.replace(microsecond=0, tzinfo=UTC)
    unix_s = moment.timestamp()
    assert moment_ago(moment.isoformat(), NOW_S) == unix_s
    assert moment_ago(moment.strftime("%Y-%m-%dT%H:%M:%SZ"), NOW_S) == unix_s
    assert moment_ago(moment.strftime("%Y-%m-%d %H:%M:%S+00:00"), NOW_S) == unix_s
    assert moment_ago(f"{unix_s:.0f}", NOW_S) == unix_s
    assert moment_ago(f"{unix_s:.3f}", NOW_S) == unix_s


@given(st.text(max_size=20))
def test_any_text_is_a_moment_or_one_complaint(text: str) -> None:
    told = ""
    try:
        told = f"{moment_ago(text, NOW_S):f}"
    except argparse.ArgumentTypeError as error:
        told = str(error)
    assert "is no time" in told or float(told) == moment_ago(text, NOW_S)


def test_now() -> None:
    assert moment_ago("now", NOW_S) == NOW_S
    assert moment_ago("2 days", NOW_S) == NOW_S - 2 * 86_400


def test_a_summary_as_a_table_and_as_json() -> None:
    row = SummaryRow("x", "slurm", "=7", "u", "n", "t", 3.0, (2.0, 4.0), {"gpu": 3.0}, 1, None, None)
    summary = Summary(1.0, 2.0, 15.0, 3.0, (2.0, 4.0), ["n1"], [row], [], complete=True)
    lines = to_csv(summary).decode().splitlines()
    assert lines == [",".join(COLUMNS), "x,slurm,'=7,u,n,t,3.0,2.0,4.0,3.0,,,1,,"]
    told = json.loads(to_json(summary))
    assert next(iter(told)) == "schema"
    assert told["rows"][0]["by_kind_j"] == {"gpu": 3.0}
