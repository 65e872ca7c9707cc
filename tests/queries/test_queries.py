"""Every query of `docs/queries.md` on a real Prometheus of simulated nodes, its answer beside what really was."""

from __future__ import annotations

import re

import pytest

from fleet.fixture import Fleet
from queries import jobs, machines, people
from queries.asked import Asked
from queries.page import PAGE, Question, questions

TEXT = PAGE.read_text(encoding="utf-8")
QUESTIONS = questions(TEXT)
ANSWERS = {**jobs.ANSWERS, **people.ANSWERS, **machines.ANSWERS}


def test_the_page_asks_what_is_tested_and_no_more() -> None:
    assert [question.title for question in QUESTIONS] == list(dict.fromkeys(question.title for question in QUESTIONS))
    assert {question.title for question in QUESTIONS} == ANSWERS.keys()
    assert len(QUESTIONS) >= 20
    assert sum(len(question.queries) for question in QUESTIONS) == TEXT.count("```promql")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_the_answer_is_what_was(fleet: Fleet, question: Question) -> None:
    ANSWERS[question.title](Asked(fleet, question))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_a_unit_and_what_to_mind_stand_beside_it(question: Question) -> None:
    assert question.queries
    first = question.remarks.split(".")[0]
    units = "[Ww]att|[Jj]oule|[Kk]ilogram|[Mm]oney|[Ss]hare|ratio|[Hh]ours|[Nn]umber|[Oo]ne row|[Tt]okens|[Pp]ercent"
    assert re.search(units, first), question.remarks
    assert len(question.remarks.split()) >= 10


def test_none_needs_a_recorded_series() -> None:
    """Those have colons in their names; of others' metrics only vLLM's and SGLang's have."""
    queries = "".join(query for question in QUESTIONS for query in question.queries)
    assert set(re.findall(r"\b(\w+):\w", re.sub(r'"[^"]*"', "", queries))) <= {"vllm", "sglang", "1h", "1d"}


def test_every_sum_leaves_out_the_kinds_that_contain_others() -> None:
    """The simulated nodes have none of them, so that the answers cannot tell."""
    # What has all devices of its own accord: laws for each device, and joins of them.
    free = {"Does it all add up?"}
    selectors = re.compile(r"aipower_\w+_(?:joules_total|watts|error_joules)\b(?!\w)(\{[^}]*\})?")
    for question in QUESTIONS:
        if question.title in free:
            continue
        for query in question.queries:
            for found in selectors.finditer(query):
                limit = "power_limit" in found.group()
                assert limit or "kind=" in (found.group(1) or ""), (question.title, found.group())
