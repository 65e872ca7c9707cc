"""The log of a meter, as people and meters write it."""

from __future__ import annotations

import contextlib
import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.calibration.readings import Sample, parse_meter, read_meter
from aipower.calibration.recording import Recording, read_recording
from aipower.calibration.series import EnergySeries, Part
from aipower.errors import AipowerError
from calibration.series import T0_UNIX_S, Scene, csv, held
from fakes import GPU


@pytest.mark.parametrize("log", [
    "1780000000,100\n1780000001.5,200.5",
    "time,watts\n1780000000,100\n1780000001.5,200.5\n",
    "# my meter\n\nunix;W\n1780000000;100,0\n1780000001,5;200,5\n",
    "volts\tdate\tpower [W]\n230\t2026-05-28T20:26:40Z\t100 W\n231\t2026-05-28 22:26:41.5+02:00\t200.5 W # end\n",
    '"Time","P"\n"1780000000","100"\n"1780000001.5","200.5"\n',
])  # fmt: skip
def test_forms_of_a_log(log: str) -> None:
    if ";" in log:
        log = log.replace("1780000001,5", "1780000001.5")
    first, second = parse_meter(log.splitlines(), "m.csv")
    assert (first.at_unix_s, first.power_w) == (T0_UNIX_S, 100.0)
    assert (second.at_unix_s, second.power_w) == (T0_UNIX_S + 1.5, 200.5)


@pytest.mark.parametrize(("log", "words"), [
    ("time,watts\n1780000000,100\n1780000001,nan", 'm.csv:3: "nan" is no number of watts'),
    ("time,watts\n1780000000,100\n1780000001,inf", 'm.csv:3: "inf"'),
    ("time,watts\n1780000000,100\n1780000000,100", "m.csv:3: time does not go forwards"),
    ("time,watts\n1780000005,100\n1780000000,100", "m.csv:3: time does not go forwards"),
    ("1780000000000,100", "m.csv:1: .* milliseconds"),
    ("12,100", 'm.csv:1: "12" is no time in unix seconds'),
    ("time,watts\nyesterday 5,100", "m.csv:2: .* ISO 8601"),
    ("time,watts\n1780000000", "m.csv:2: time and watts are needed"),
    ("time,watts a,watts b\n1780000000,1,2", r"m.csv:1: several columns .*\(watts a, watts b\)"),
    ("time,volts,amps\n1780000000,1,2", "m.csv:1: no column is called"),
])  # fmt: skip
def test_mistakes_are_told_with_their_line(log: str, words: str) -> None:
    with pytest.raises(AipowerError, match=words):
        list(parse_meter(log.splitlines(), "m.csv"))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(log: str) -> None:
    samples: list[Sample] = []
    with contextlib.suppress(AipowerError):
        samples.extend(parse_meter(log.splitlines(), "m.csv"))
    assert all(a.at_unix_s < b.at_unix_s for a, b in itertools.pairwise(samples))


def test_a_pause_of_the_log_is_a_gap_and_the_scale_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("".join(f"{T0_UNIX_S + second},210\n" for second in (0, 1, 2, 3, 60, 61)))
    series = read_meter(path, scale=0.9, less_w=50)
    assert [part.mean_w for part in series.parts] == pytest.approx([139.0] * 4)
    assert series.mean_w(T0_UNIX_S, T0_UNIX_S + 61) is None


@pytest.mark.parametrize("content", [b"", b"time,watts\n", b"\xff\xfe\x00garbage", b"1780000000,1\n"])
def test_files_without_a_recording(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.csv").write_bytes(content)
    with pytest.raises(AipowerError, match=r"m\.csv"):
        read_meter(tmp_path / "m.csv")


def test_our_recording_comes_back(tmp_path: Path) -> None:
    recording = Recording(GPU, "570.1", Scene(held()).ours().parts)
    (tmp_path / "ours.csv").write_text(recording.text)
    found = read_recording(tmp_path / "ours.csv")
    assert (found.device, found.driver) == (GPU, "570.1")
    span = (T0_UNIX_S + 20, T0_UNIX_S + 90)
    assert found.series.mean_w(*span) == pytest.approx(recording.series.mean_w(*span), rel=1e-6)


def test_other_files_are_no_recording_of_ours(tmp_path: Path) -> None:
    good = Recording(GPU, "570.1", (Part(T0_UNIX_S, T0_UNIX_S + 1, 5.0),)).text
    for text in (
        csv(Scene(held()).meter(random.Random(1))), "", good.replace("# kind: gpu", "# kind: toaster"),
        good + f"{T0_UNIX_S - 5},{T0_UNIX_S - 4},1\n", good + "1,2\n", good.rpartition("\n1")[0],
    ):  # fmt: skip
        (tmp_path / "ours.csv").write_text(text)
        with pytest.raises(AipowerError, match="record"):
            read_recording(tmp_path / "ours.csv")


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0.01, 2), st.floats(0, 500)), min_size=1, max_size=20), st.data())
def test_means_of_a_series_are_exact(steps: list[tuple[float, float, float]], data: st.DataObject) -> None:
    """Against a sum over the parts; the mean of joined parts is the same."""
    parts: list[Part] = []
    at_s = T0_UNIX_S
    for gap_s, span_s, watts in steps:
        start_s = at_s + (gap_s if gap_s > 0.1 else 0)
        at_s = start_s + span_s
        parts.append(Part(start_s, at_s, watts * (at_s - start_s)))
    series = EnergySeries(parts)
    low_s, high_s = sorted(data.draw(st.tuples(*[st.floats(T0_UNIX_S - 1, at_s + 1)] * 2)))
    spans = [(max(low_s, p.start_unix_s), min(high_s, p.end_unix_s), p.mean_w) for p in parts]
    covered_s = sum(max(0.0, b - a) for a, b, _ in spans)
    found = series.mean_w(low_s, high_s)
    if found is not None:
        assert covered_s >= 0.97 * (high_s - low_s)
        expected_j = sum(max(0.0, b - a) * watts for a, b, watts in spans)
        assert found * covered_s == pytest.approx(expected_j, rel=1e-3, abs=1e-3)
