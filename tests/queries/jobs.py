"""What the answers about jobs, pods and services must be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pytest

from fleet.neighbours import SERVERS
from fleet.plan import HOURS, Work, work_j
from fleet.story import RUN, SGLANG_POD, VLLM_POD, story
from queries.asked import INCREASE, WH_J, Asked, assert_five, drawn_j, mean_w, working

EXACT = 1e-6
"""Joules of microjoules, as text."""


def energy_of_a_job(asked: Asked) -> None:
    assert asked.value() == pytest.approx(asked.job_j("1001") / WH_J, rel=EXACT)
    assert asked.value() == pytest.approx(asked.fleet.truth.drawn_j["slurm", "1001"] / WH_J, rel=0.03)


def interval_of_a_job(asked: Asked) -> None:
    rows = asked.fleet.query('max_over_time(aipower_job_energy_error_joules{system="slurm",job="1001"}[30d])')
    assert len(rows) == 8, "two GPUs, a processor and a memory on two nodes"
    assert asked.value() == pytest.approx(math.fsum(row.value for row in rows) / WH_J, rel=EXACT)
    off_wh = abs(asked.job_j("1001") - asked.fleet.truth.drawn_j["slurm", "1001"]) / WH_J
    assert off_wh <= asked.value() <= 0.15 * asked.job_j("1001") / WH_J


def kinds_of_a_job(asked: Asked) -> None:
    wanted = {kind: asked.job_j("1001", kind=kind) / WH_J for kind in ("gpu", "cpu", "dram")}
    assert asked.one("kind") == pytest.approx(wanted, rel=EXACT)
    assert min(wanted.values()) > 0


def steps_of_a_job(asked: Asked) -> None:
    assert asked.one("step") == pytest.approx({"batch": asked.job_j("1007") / WH_J}, rel=EXACT)


def power_for_a_gpu_held(asked: Asked) -> None:
    """The story: 540 W of work and 40 W of an open context."""
    assert asked.value() == pytest.approx(580, rel=0.03)


def five_jobs_now(asked: Asked) -> None:
    """Of seven that go on; which they are and what they draw is the story's."""
    drawn: dict[tuple[str, ...], Work] = {
        (work.place.owner.system, work.place.owner.job, work.user): work for work in working() if work.place.owner.job
    }
    assert_five(asked.by("system", "job", "user"), drawn)


def five_jobs_of_the_week(asked: Asked) -> None:
    wanted = sorted(asked.fleet.truth.jobs_j.items(), key=lambda item: -item[1])[:5]
    assert asked.by("system", "job") == pytest.approx({key: energy_j / WH_J for key, energy_j in wanted}, rel=EXACT)


def before_and_after(asked: Asked) -> None:
    assert asked.value() == pytest.approx(asked.job_j("1003") / asked.job_j("1002"), rel=EXACT)
    assert asked.value() == pytest.approx(0.8, abs=0.015)


def an_hour_and_that_of_yesterday(asked: Asked) -> None:
    now_j, then_j = (math.fsum(drawn_j(at_h - 1, at_h).values()) for at_h in (HOURS, HOURS - 24))
    assert asked.value() == pytest.approx(now_j / then_j, rel=INCREASE)


def a_run_by_name(asked: Asked) -> None:
    ((key, energy_wh),) = asked.by("run", "name", "user").items()
    assert key == (RUN, "bench", "alice")
    used_j = asked.sum(lambda row: not row.owner.job and row.user == "alice")
    assert energy_wh == pytest.approx(used_j / WH_J, rel=EXACT)
    (work,) = [work for work in story() if work.run == RUN]
    said_j = math.fsum(work_j(load, work.begin_s, work.end_s, work.end_s) for load in work.loads)
    assert energy_wh == pytest.approx(said_j / WH_J, rel=0.05)


def pods_of_a_namespace(asked: Asked) -> None:
    names = {("serving", "vllm-llama-0"): VLLM_POD, ("serving", "sglang-qwen-0"): SGLANG_POD}
    wanted = {name: asked.job_j(uid) / WH_J for name, uid in names.items()}
    assert asked.by("namespace", "pod") == pytest.approx(wanted, rel=EXACT)


def a_service(asked: Asked) -> None:
    """Its account, over a restart of the agent; less what it had used at the first scrape."""
    wanted_wh = asked.job_j("embedder.service") / WH_J
    assert asked.one("instance") == pytest.approx({"node-a:9877": wanted_wh}, rel=0.01)


def tokens_of_a_joule(asked: Asked) -> None:
    server = next(server for server in SERVERS if server.prefix == "vllm")
    (work,) = [work for work in working() if work.comm == "vllm"]
    assert asked.one("pod") == pytest.approx({server.pod: server.generated_per_s / mean_w(work)}, rel=0.03)


def joules_of_a_token(asked: Asked) -> None:
    server = next(server for server in SERVERS if server.prefix == "sglang")
    # 300 W of the GPU, 40 W of its context, 14 W of the processor; over an hour its ripple is even.
    assert asked.one("pod") == pytest.approx({server.pod: 354 / server.generated_per_s}, rel=0.03)


ANSWERS: Mapping[str, Callable[[Asked], None]] = {
    "How much energy did a Slurm job use?": energy_of_a_job,
    "How sure is that figure?": interval_of_a_job,
    "Which part of it was used by GPUs, processors and memory?": kinds_of_a_job,
    "How much did each step of a job use?": steps_of_a_job,
    "How much power does a job draw for each GPU that it holds?": power_for_a_gpu_held,
    "Which five jobs draw most now?": five_jobs_now,
    "Which five jobs used most in the last week?": five_jobs_of_the_week,
    "Did the change help: how much does a job use beside the one before?": before_and_after,
    "How much does the cluster use beside the same hour of yesterday?": an_hour_and_that_of_yesterday,
    "How much did a run of `aipower-run` use, by its name?": a_run_by_name,
    "How much does each pod of a namespace use?": pods_of_a_namespace,
    "How much does a service use, such as one of systemd?": a_service,
    "How many tokens does vLLM make from a joule?": tokens_of_a_joule,
    "How many joules does a token of SGLang cost?": joules_of_a_token,
}
