"""The interval of what a job draws now."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec
import pytest
from msgspec.structs import replace

from aipower.model import JobKey
from aipower.site.history import Window
from aipower_exporters.api.documents.jobs import Job, Jobs
from aipower_exporters.api.jobs import jobs_document
from aipower_exporters.api.lines import Lines
from aipower_exporters.api.view import look
from api.worlds import FakeScales, World, world


def jobs(it: World) -> dict[JobKey, Job]:
    """The jobs that draw something."""
    assert it.snapshot is not None
    sources = it.sources()
    body = jobs_document(look(sources, it.snapshot, sources.now()), Lines())
    document = msgspec.json.decode(body, type=Jobs)
    keys = {
        (row.owner.system, row.owner.job, row.owner.step, row.user): (row.owner, row.user) for row in it.snapshot.jobs
    }
    return {keys[job.system, job.job, job.step, job.user]: job for job in document.jobs if job.power_w}


def tell(it: World, told: Callable[[str], Mapping[JobKey, float]]) -> None:
    """Have the windows tell errors of jobs."""

    def with_jobs(window: Window) -> Window:
        return replace(window, job_half_w=told(window.device))

    it.history.windows = [with_jobs(window) for window in it.history.windows]


def test_errors_of_the_split_between_a_jobs_processes_are_not_in_its_interval() -> None:
    it = world()
    apart = jobs(it)
    tell(it, lambda _device: dict.fromkeys(apart, 0.0))
    together = jobs(it)
    assert together.keys() == apart.keys()
    for key, job in together.items():
        assert job.power_w is not None
        assert job.power_half_w is not None
        # 5 % of the power of each kind, in squares between the three kinds.
        assert 0.05 * job.power_w / math.sqrt(3) - 2e-3 <= job.power_half_w <= 0.05 * job.power_w + 2e-3
        assert job.power_half_w < (apart[key].power_half_w or 0.0)


def test_what_is_told_of_the_job_adds_in_squares_over_devices() -> None:
    it = world()
    key = next(iter(jobs(it)))
    tell(it, lambda device: {key: 0.0} if device.startswith("GPU") else {key: 1000.0})
    job = jobs(it)[key]
    assert job.power_half_w == pytest.approx(1000.0 * math.sqrt(2), rel=1e-3)


def test_a_job_on_a_sensor_of_unknown_scale_has_no_interval() -> None:
    it = world()
    assert it.snapshot is not None
    it.scales = FakeScales(unknown=[state.device.id for state in it.snapshot.devices])
    found = jobs(it)
    assert found
    assert all(job.power_half_w is None for job in found.values())
