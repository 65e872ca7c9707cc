"""docs/many-nodes.md says what is true."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from aipower.job.fields import job_fields
from aipower.job.record import from_fields
from aipower.merge.cli import add_arguments
from aipower.merge.faults import OWN

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "many-nodes.md").read_text()


def test_the_table_of_options_is_the_parsers() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    rows = re.findall(r"^\| (`-[^|]*) \|", PAGE, re.MULTILINE)
    told = {word for row in rows for word in re.findall(r"`(-{1,2}[a-z-]+)", row)}
    real = {option for action in parser._actions for option in action.option_strings}
    assert told == real - {"--output"}


def test_its_faults_are_those_of_a_merge() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)) == {*OWN, "overlap"}


def test_its_fields_are_those_of_a_job() -> None:
    job = from_fields(job_fields({"SLURM_JOB_ID": "1"}, "h"))
    assert job is not None
    told = re.search(r"^`job` has (.*?) and `variables`", PAGE, re.MULTILINE | re.DOTALL)
    assert told is not None
    assert {*re.findall(r"`(\w+)`", told[1]), "variables"} == set(type(job).__struct_fields__)


def test_links_and_files_are_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
    for path in re.findall(r"(?:examples|agent)/[\w/.]+\.\w+", PAGE):
        assert (ROOT / path).is_file(), path
