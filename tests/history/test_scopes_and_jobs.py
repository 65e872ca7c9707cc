"""Which sensors may be off together, and how far the power of a job may be off."""

from __future__ import annotations

import pytest

from aipower.history.book import HistoryBook
from aipower.model import Attribution, Calibration, EnergyDelta, Owner, PartError
from fakes import CPU, GPU

JOB = (Owner("slurm", "4711", "0"), "1000")


def test_calibrated_sensors_are_off_by_themselves() -> None:
    book = HistoryBook()
    assert book.scope(GPU.id) is None
    for device, calibration in ((GPU, Calibration(source="meter")), (CPU, Calibration())):
        book.post(Attribution(EnergyDelta(device, 0.0, 1.0, 7), 7, {}, {}, 0), calibration)
    assert (book.scope(GPU.id), book.scope(CPU.id)) == (GPU.id, "cpu")


def test_a_window_tells_the_error_of_a_job_as_a_whole() -> None:
    book = HistoryBook()
    errors = {JOB: PartError(variance_uj2=9e12, systematic_uj=-4e6)}
    delta = EnergyDelta(GPU, 0.0, 2.0, 100_000_000)
    book.post(Attribution(delta, 100_000_000, {}, {}, 0, job_errors=errors), Calibration())
    assert book.latest()[GPU.id].job_half_w[JOB] == pytest.approx(1.959964 * 5.0 / 2.0, rel=1e-6)
