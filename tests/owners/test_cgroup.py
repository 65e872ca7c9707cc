"""Places from the text of /proc/PID/cgroup: the corpus, and laws that hold for any text."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.model import Owner, Place
from aipower.owners.cgroup import place_of_cgroup
from owners.corpus import FOLDER, Case, cases

CORPUS = cases()
SYSTEMS = {"slurm", "kubernetes", "docker", "podman", "containerd", "crio", "systemd", "none"}
NAMES = sorted({name for case in CORPUS for line in case.text.split("\n") for name in line.split("/")[1:]})
PATHS = st.lists(st.sampled_from([*NAMES, "..", "", " (deleted)"]) | st.text(max_size=20), max_size=8).map("/".join)
LINES = st.tuples(st.sampled_from(["0::", "1:name=systemd:", "4:memory:", ""]), PATHS).map("/".join)
TEXTS = st.lists(LINES, max_size=5).map("\n".join) | st.text() | st.binary().map(lambda b: b.decode(errors="replace"))


@pytest.mark.parametrize("case", CORPUS, ids=str)
def test_the_corpus(case: Case) -> None:
    assert place_of_cgroup(case.text) == case.place


def test_the_corpus_is_broad_and_says_where_it_comes_from() -> None:
    assert len(CORPUS) >= 80
    assert {case.place.owner.system for case in CORPUS} == SYSTEMS
    assert all(case.seen for case in CORPUS)
    assert len({(case.file, case.name) for case in CORPUS}) == len(CORPUS)
    assert {case.file for case in CORPUS} == {path.stem for path in FOLDER.iterdir()}


@given(TEXTS)
def test_any_text_has_a_place_whose_names_can_be_shown(text: str) -> None:
    place = place_of_cgroup(text)
    shown = (place.owner.job, place.owner.step, place.container, place.unit, place.slice)
    assert place.owner.system in SYSTEMS
    assert all(name.isprintable() and name.isascii() and len(name) <= 255 for name in shown)


@given(TEXTS)
def test_a_job_has_a_name_and_what_is_none_has_not(text: str) -> None:
    owner = place_of_cgroup(text).owner
    assert (owner == Owner()) if owner.system == "none" else bool(owner.job)


@given(st.sampled_from(CORPUS), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(case: Case, random: Random) -> None:
    lines = case.text.splitlines()
    random.shuffle(lines)
    assert place_of_cgroup("\n".join(lines)) == case.place


@given(st.sampled_from(CORPUS), st.sampled_from(CORPUS))
def test_a_group_inside_of_a_pod_belongs_to_the_pod(outer: Case, inner: Case) -> None:
    """Whatever runs in a pod, save Slurm, which is more than the pod."""
    path = inner.text.partition("\n")[0].rpartition(":")[2]
    if outer.place.owner.system != "kubernetes" or not outer.place.owner.step or not path.startswith("/"):
        return
    where = outer.text.strip().partition("\n")[0]
    owner = place_of_cgroup(where + path).owner
    if owner.system != "slurm":
        assert owner == place_of_cgroup(where).owner


PODS = [case for case in CORPUS if case.place.owner.system == "kubernetes" and case.place.owner.step]


@given(st.integers(1, 6), st.sampled_from(PODS), st.booleans())
def test_a_pod_is_known_from_inside_of_another_pod(levels: int, case: Case, deleted: bool) -> None:
    """A reader in a control group namespace sees `/..` for all that it does not share with the other."""
    names = case.text.partition("\n")[0].rpartition(":/")[2].split("/")
    uid = case.place.owner.job
    at = next(at for at, name in enumerate(names) if uid in name or uid.replace("-", "_") in name)
    path = "/".join([".."] * levels + names[at:]) + (" (deleted)" if deleted else "")
    if "kubepods" in path or len(uid) in {32, 36}:
        assert place_of_cgroup(f"0::/{path}").owner == case.place.owner


def test_a_place_is_empty_by_default() -> None:
    assert place_of_cgroup("") == Place()
