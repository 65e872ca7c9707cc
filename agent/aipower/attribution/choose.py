"""Which design a device has."""

from __future__ import annotations

from aipower.attribution.apportion import Apportioner
from aipower.attribution.baseline import CpuBaseline, GpuBaseline
from aipower.attribution.columns import NameOf
from aipower.attribution.designs import Cpu, Gpu
from aipower.attribution.posting import JobOf, RunOf
from aipower.model import Device


def apportioner_of(
    device: Device, name_of: NameOf, run_of: RunOf, keep: int, job_of: JobOf = lambda _: None
) -> Apportioner:
    """The one for `device`, which holds back `keep` windows."""
    design = Gpu(GpuBaseline()) if device.kind == "gpu" else Cpu(CpuBaseline())
    return Apportioner(design, name_of, run_of, keep, job_of)
