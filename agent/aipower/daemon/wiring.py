"""What the agent samples with: sensors, ledger, sampler and finder, put together on the thread that may hang."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from aipower.daemon.finder import Finder
from aipower.daemon.sampler import Pace, Sampler
from aipower.daemon.work import End, Parts
from aipower.errors import AipowerError, SensorError
from aipower.ledger import Ledger
from aipower.meter import Meter
from aipower.model import SUMMED_KINDS, Calibration
from aipower.processes.machine import MachineCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.seams import Clock, SensorSet
from aipower.sensors.select import Machine, Selection, discover
from aipower.settings.config import AgentConfig

log = logging.getLogger(__name__)


def wire(
    config: AgentConfig,
    selection: Selection,
    calibrations: Mapping[str, Calibration],
    clock: Clock,
    end: Callable[[End], None],
) -> Parts:
    """Sensors, ledger, sampler and finder. It hangs where a driver does.

    Raises:
        UsageError: A sensor that was named is not to be had.
        AipowerError: /proc cannot be read.
    """
    table = ProcessTable(procfs := ProcFs(), clock)
    try:
        cpu_usage = MachineCpuUsage(procfs, table, clock)
    except SensorError as error:
        raise AipowerError(f"{error}; the agent needs /proc") from error
    machine = Machine(table, clock, os.environ)
    found = discover(selection, machine, cpu_usage)
    announce(found.sensors)
    ledger = Ledger(found.directory, config.max_processes, config.retention_s)
    max_gap_s = max(5.0, 3 * config.interval_s)
    meter = Meter(found.sensors, ledger, clock, max_gap_s, calibrations=calibrations)
    pace = Pace(config.interval_s, config.process_interval_s)
    sampler = Sampler(meter, ledger, pace, clock, lambda: end(1))

    def look(sources: tuple[str, ...]) -> SensorSet:
        return discover(replace(selection, real=sources, required=False), machine, cpu_usage).sensors

    return Parts(sampler, Finder(meter, sampler, selection.real, look, clock))


def announce(found: SensorSet) -> None:
    """One line per device, and one per source that is missing."""
    for sensor in found.sensors:
        device = sensor.device
        log.info("%s %s: %s (%s), %s", device.kind, device.index, device.name, device.id, sensor.facts.method)
    for missing in found.unavailable:
        log.warning("%s not measured: %s; %s", missing.source, missing.reason, missing.remedy)
    if not any(sensor.device.kind in SUMMED_KINDS for sensor in found.sensors):
        log.warning("nothing to measure on this machine yet; see `aipower doctor`")
