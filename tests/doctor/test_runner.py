"""Checks that hang, break and follow from others."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.doctor.finding import Check, Finding, Result
from aipower.doctor.runner import run_checks
from aipower.doctor.text import MAX_CHARS, one_line
from doctor.worlds import by_id, check, raises

FINE = Result("ok", "fine")
ERRORS = (
    ValueError, OSError, KeyError, RuntimeError, MemoryError, RecursionError, UnicodeError, AssertionError,
    StopIteration, GeneratorExit, SystemExit, KeyboardInterrupt, Exception, BaseException,
)  # fmt: skip


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def fine() -> Result:
    return FINE


def test_findings_come_in_the_order_of_the_checks_though_the_first_ends_last() -> None:
    last_has_run = threading.Event()

    def wait() -> Result:
        assert last_has_run.wait(60)
        return FINE

    def release() -> Result:
        last_has_run.set()
        return FINE

    findings = run_checks([check("a", wait), check("b", fine), check("c", release)])
    assert [(each.id, each.title, each.verdict) for each in findings] == [
        ("a", "A", "ok"), ("b", "B", "ok"), ("c", "C", "ok"),
    ]  # fmt: skip


def test_no_checks_no_findings() -> None:
    assert run_checks([]) == []


def test_followers_stand_behind_the_check_they_follow_from() -> None:
    grandchild = check("a.1.x", fine)
    child = check("a.1", lambda: Result("ok", "", then=(grandchild,)))
    first = check("a", lambda: Result("ok", "", then=(child, check("a.2", fine))))
    second = check("b", lambda: Result("warn", "", then=(check("b.1", fine),)))
    assert [each.id for each in run_checks([first, second])] == ["a", "a.1", "a.1.x", "a.2", "b", "b.1"]


@pytest.mark.parametrize("limit_s", [0.05, 0.25])
def test_hung_check_fails_at_its_limit_and_the_others_run(limit_s: float) -> None:
    release = threading.Event()

    def hang() -> Result:
        release.wait(100)
        return FINE

    begun_s = time.monotonic()
    try:
        findings = by_id(run_checks([check("gpu-0", hang, limit_s), check("b", fine)]))
    finally:
        release.set()
    assert limit_s <= time.monotonic() - begun_s < 50
    assert findings["gpu-0"].verdict == "fail"
    assert findings["gpu-0"].found == f"did not answer within {limit_s:g} s"
    assert "nvidia-smi" in findings["gpu-0"].remedy
    assert findings["gpu-0"].hung
    assert findings["b"] == Finding("b", "B", "ok", "fine", "")


def test_many_hung_checks_cost_one_limit() -> None:
    release = threading.Event()

    def hang() -> Result:
        release.wait(100)
        return FINE

    begun_s = time.monotonic()
    try:
        findings = run_checks([check(f"c{number}", hang, 1.0) for number in range(40)])
    finally:
        release.set()
    assert time.monotonic() - begun_s < 20, "40 limits one after the other"
    assert all(each.hung and each.verdict == "fail" for each in findings)


def test_a_hung_follower_does_not_hide_its_neighbours() -> None:
    release = threading.Event()

    def hang() -> Result:
        release.wait(100)
        return FINE

    parent = check("p", lambda: Result("ok", "", then=(check("hangs", hang, 0.05), check("well", fine))))
    try:
        findings = by_id(run_checks([parent, check("other", fine)]))
    finally:
        release.set()
    assert {name: each.verdict for name, each in findings.items()} == {
        "p": "ok", "hangs": "fail", "well": "ok", "other": "ok",
    }  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from(ERRORS), st.text(max_size=300))
def test_whatever_is_raised_becomes_a_failure_with_its_text(kind: type[BaseException], words: str) -> None:
    broken, well = run_checks([check("broken", raises(kind(words))), check("well", fine)])
    assert (broken.verdict, well.verdict) == ("fail", "ok")
    assert kind.__name__ in broken.found
    assert one_line(str(kind(words))) in broken.found
    assert broken.remedy
    assert not broken.hung


def test_an_error_without_words_is_named() -> None:
    (finding,) = run_checks([check("broken", raises(UnspeakableError()))])
    assert finding.found == "the check broke: UnspeakableError"


@settings(deadline=None)
@given(st.text(), st.text())
def test_texts_of_checks_become_printable_lines(found: str, remedy: str) -> None:
    (finding,) = run_checks([check("any", lambda: Result("warn", found, remedy))])
    for text in (finding.found, finding.remedy):
        assert text == "" or text.isprintable()
        assert len(text) <= MAX_CHARS


def test_a_text_cannot_move_the_cursor() -> None:
    assert one_line("a\x1b[2J\r\nb\tc\x07") == "a?[2J b c?"
    assert one_line("x" * 100_000).endswith("...")


def test_a_check_has_three_seconds_unless_it_says_otherwise() -> None:
    assert Check("a", "A", fine).limit_s == 3.0
