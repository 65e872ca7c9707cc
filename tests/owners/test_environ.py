"""What an environment says, and what it may say where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.model import JobFacts, Owner, Place
from aipower.owners.environ import (
    MOST_CHARACTERS,
    MOST_GPUS,
    NAMES,
    Claims,
    facts_of_environ,
    gpus_of,
    joined,
)

ID = "0123456789abcdef" * 4
UID = "03f3f104-3215-44f2-9686-d4dd1f05a7ed"
POD = Place(Owner("kubernetes", UID, ID), container=ID)
DOCKER = Place(Owner("docker", ID), container=ID)
SERVICE = Place(Owner("systemd", "slurmd.service"), unit="slurmd.service", slice="system.slice")
JOB = Place(Owner("slurm", "12", "0"), unit="slurmstepd.scope", slice="system.slice")
BATCH = (
    b"HOME=/home/ada\0SLURM_JOB_ID=4711\0SLURM_JOB_NAME=train\0SLURM_JOB_ACCOUNT=physics\0SLURM_JOB_PARTITION=gpu\0"
    b"SLURM_JOB_GPUS=0,1,2,3\0SLURM_JOB_UID=1000\0CUDA_VISIBLE_DEVICES=0,1\0HOSTNAME=node7\0"
)
STEP = BATCH + b"SLURM_STEP_ID=0\0SLURM_STEP_GPUS=2,3\0"
ENTRIES = st.tuples(st.sampled_from([*NAMES, "PATH", "SECRET"]).map(str.encode), st.binary(max_size=300))
BLOCKS = st.lists(ENTRIES, max_size=8).map(lambda pairs: b"\0".join(name + b"=" + value for name, value in pairs))


def said(**facts: str) -> Claims:
    """What an environment of these variables says."""
    return facts_of_environ(b"".join(f"{name}={value}\0".encode() for name, value in facts.items()))


def test_a_batch_job_says_who_it_is() -> None:
    claims = facts_of_environ(BATCH)
    assert (claims.slurm_job, claims.slurm_step, claims.slurm_gpus) == ("4711", "", ("0", "1", "2", "3"))
    assert claims.facts == JobFacts(name="train", account="physics", partition="gpu")


def test_a_step_has_the_gpus_of_the_step() -> None:
    claims = facts_of_environ(STEP)
    assert (claims.slurm_step, claims.slurm_gpus) == ("0", ("2", "3"))


def test_names_of_our_own_come_before_slurms() -> None:
    facts = facts_of_environ(BATCH + b"AIPOWER_JOB=llama\0AIPOWER_TEAM=vision\0").facts
    assert (facts.name, facts.team, facts.account) == ("llama", "vision", "physics")


@pytest.mark.parametrize("number", ["4294967291", "4294967294"])
def test_steps_without_a_number_have_their_name(number: str) -> None:
    assert said(SLURM_JOB_ID="1", SLURM_STEP_ID=number).slurm_step == "batch"


@pytest.mark.parametrize("job", ["", "12_3", "../1", "1 2", "x", "9" * 30, "１２"])  # noqa: RUF001  # wide digits
def test_what_is_no_number_is_no_job(job: str) -> None:
    assert said(SLURM_JOB_ID=job).slurm_job == ""


def test_the_first_of_two_counts() -> None:
    assert facts_of_environ(b"AIPOWER_TEAM=a\0AIPOWER_TEAM=b\0").facts.team == "a"


def test_a_name_must_be_the_whole_name() -> None:
    block = b"XAIPOWER_TEAM=a\0AIPOWER_TEAMS=b\0AIPOWER_TEAM\0X=AIPOWER_TEAM=c\0\nAIPOWER_TEAM=d"
    assert facts_of_environ(block) == Claims()


def test_a_value_is_cut_and_can_be_shown() -> None:
    facts = said(AIPOWER_TEAM="é" * 1000, AIPOWER_JOB="a\nb\x1b[2Jc\u202e").facts
    assert facts.team == "é" * MOST_CHARACTERS
    assert facts.name == "a?b?[2Jc?"


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("0,1", ("0", "1")),
        ("0-3", ("0", "1", "2", "3")),
        ("0-1,4", ("0", "1", "4")),
        ("2,2,1", ("2", "1")),
        (" 0 , 1 ", ("0", "1")),
        ("GPU-8f2b4c1e-0b1a-4f2e-9d3c-5e6f7a8b9c0d", ("GPU-8f2b4c1e-0b1a-4f2e-9d3c-5e6f7a8b9c0d",)),
        ("MIG-GPU-8f2b4c1e/1/0,MIG-1c2d", ("MIG-GPU-8f2b4c1e/1/0", "MIG-1c2d")),
        ("all", ()),
        ("void", ()),
        ("none", ()),
        ("", ()),
        ("gpu:a100:2", ()),
        ("3-1", ()),
        ("0-999", tuple(str(index) for index in range(MOST_GPUS))),
    ],
)
def test_a_list_of_gpus(text: str, gpus: tuple[str, ...]) -> None:
    assert gpus_of(text) == gpus


def test_a_job_is_named_by_its_environment_where_no_group_does() -> None:
    claims = facts_of_environ(STEP)
    assert joined(SERVICE, claims).owner == joined(Place(), claims).owner == Owner("slurm", "4711", "0")
    assert joined(SERVICE, claims).unit == "slurmd.service"


@pytest.mark.parametrize("place", [JOB, POD, DOCKER], ids=["slurm", "kubernetes", "docker"])
def test_a_group_is_never_overruled(place: Place) -> None:
    assert joined(place, facts_of_environ(STEP)).owner == place.owner


def test_gpus_are_slurms_in_a_job_and_the_runtimes_in_a_container() -> None:
    claims = facts_of_environ(STEP + b"NVIDIA_VISIBLE_DEVICES=GPU-1a\0")
    assert joined(JOB, claims).facts.gpus == ("2", "3")
    assert joined(POD, claims).facts.gpus == joined(DOCKER, claims).facts.gpus == ("GPU-1a",)


def test_a_login_that_sets_the_runtimes_variable_holds_nothing() -> None:
    assert joined(Place(unit="session-1.scope"), said(NVIDIA_VISIBLE_DEVICES="0")).facts.gpus == ()


@given(BLOCKS | st.binary())
def test_any_block_is_read_and_nothing_else_is_kept(block: bytes) -> None:
    claims = facts_of_environ(block)
    facts = claims.facts
    texts = (claims.hostname, facts.name, facts.team, facts.account, facts.partition, facts.namespace, facts.pod)
    for text in (claims.slurm_job, claims.slurm_step, *texts):
        assert text.isprintable()
        assert len(text) <= MOST_CHARACTERS
    assert len(claims.slurm_gpus) <= MOST_GPUS
    assert len(claims.container_gpus) <= MOST_GPUS


@given(st.lists(ENTRIES, max_size=8))
def test_names_that_are_not_listed_change_nothing(pairs: list[tuple[bytes, bytes]]) -> None:
    pairs = [(name, value.replace(b"\0", b"")) for name, value in pairs]
    listed = [(name, value) for name, value in pairs if name.decode() in NAMES]
    whole, part = (b"\0".join(name + b"=" + value for name, value in each) for each in (pairs, listed))
    assert facts_of_environ(whole) == facts_of_environ(part)


@pytest.mark.parametrize("context", ["prolog_slurmd", "epilog_slurmd", "prolog_slurmctld", "epilog_slurmctld"])
def test_slurms_own_scripts_are_no_work_of_the_job(context: str) -> None:
    block = f"SLURM_JOB_ID=12\0SLURM_SCRIPT_CONTEXT={context}\0".encode()
    assert facts_of_environ(block) == Claims()
    assert facts_of_environ(b"SLURM_JOB_ID=12\0SLURM_SCRIPT_CONTEXT=prolog_task\0").slurm_job == "12"
