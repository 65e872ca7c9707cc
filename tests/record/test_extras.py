"""Plain words on their way into the record."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aipower.footprint.settings import from_words
from aipower.record.extras import Words, extras_of
from aipower.runrecord import SeriesRecord

WORDS = st.lists(st.text(max_size=30) | st.from_regex(r"[a-z]{1,5}=[0-9.e-]{1,6}", fullmatch=True), max_size=5)


def test_numbers_are_read() -> None:
    extras = extras_of(Words(metrics=["a=0.5", "b=c=2"], work=["tokens=10", "steps=0"]))
    assert (extras.metrics, extras.work) == ({"a": 0.5, "b=c": 2.0}, {"tokens": 10.0})


def test_series_job_and_footprint() -> None:
    extras = extras_of(
        Words(
            series="s-1:2:5",
            job=["system=slurm", "id=7", "node=n1", "rank=3", "SECRET=x"],
            leader=False,
            footprint=["zone=DEU", "pue=1.2"],
        )
    )
    assert extras.series == SeriesRecord("s-1", 2, 5)
    assert extras.job is not None
    assert (extras.job.system, extras.job.rank, extras.job.leader) == ("slurm", 3, False)
    assert "SECRET" not in extras.job.variables
    footprint = from_words(extras.footprint)
    assert (footprint.zone, footprint.pue) == ("DEU", 1.2)


@given(WORDS, WORDS, st.text(max_size=40), WORDS)
def test_no_words_break_it(numbers: list[str], job: list[str], series: str, footprint: list[str]) -> None:
    extras = extras_of(Words(numbers, numbers, job, True, series, footprint))
    assert all(amount > 0 for amount in extras.work.values())
    assert from_words(footprint).pue >= 1
