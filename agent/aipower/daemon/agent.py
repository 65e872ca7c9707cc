"""The composition root of `aipower agent`.

The steps: load the configuration -> take the address -> find the sensors -> wire -> sample and serve -> on a signal,
undo all of it in reverse.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import FrameType

from apscheduler.schedulers.background import BackgroundScheduler

from aipower import __version__
from aipower.daemon.http import Health, HttpService, make_app, parse_address
from aipower.daemon.sampler import Pace, Sampler
from aipower.errors import AipowerError, SensorError
from aipower.ledger import Ledger
from aipower.meter import Meter
from aipower.model import SUMMED_KINDS
from aipower.processes.machine import MachineCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.seams import Clock, Exporter, SensorSet, SystemClock
from aipower.sensors.select import Found, Machine, discover, parse_selection
from aipower.settings.config import AgentConfig

log = logging.getLogger(__name__)

REDISCOVER_S = 10
"""How soon a driver that is loaded later, or a GPU that comes back, is found."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the agent is made of."""

    sampler: Sampler
    find_more: Callable[[], None]


def run(config: AgentConfig) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean stop.

    Raises:
        AipowerError: The address is taken, or a sensor that was named is not to be had.
    """
    logging.basicConfig(
        stream=sys.stderr, level=config.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # It reports every run of every job at INFO.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    address = parse_address(config.listen)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        parts = wire(config, SystemClock())
        app = make_app(parts.sampler.snapshot, load_exporters(), lambda: health(parts.sampler))
        service = stack.enter_context(HttpService(app, address.host, address.port))
        log.info("aipower %s serves http://%s/metrics", __version__, service.address)
        parts.sampler.start()
        stack.callback(parts.sampler.stop)
        stack.enter_context(periodic_work(parts.find_more))
        stop.wait()
        log.info("stopping")
    return 0


def wire(config: AgentConfig, clock: Clock) -> Parts:
    """Sensors, ledger and sampler.

    Raises:
        UsageError: A sensor that was named is not to be had.
        AipowerError: /proc cannot be read.
    """
    procfs = ProcFs()
    table = ProcessTable(procfs, clock)
    try:
        cpu_usage = MachineCpuUsage(procfs, table, clock)
    except SensorError as error:
        raise AipowerError(f"{error}; the agent needs /proc") from error
    machine = Machine(table, clock, os.environ)
    selection = parse_selection(config.sensors)
    found = discover(selection, machine, cpu_usage)
    announce(found.sensors)
    ledger = Ledger(found.directory, config.max_processes, config.retention_s)
    meter = Meter(found.sensors, ledger, clock, max_gap_s=max(5.0, 3 * config.interval_s))
    sampler = Sampler(meter, ledger, Pace(config.interval_s, config.process_interval_s), clock)

    def look() -> Found:
        return discover(selection, machine, cpu_usage)

    return Parts(sampler, lambda: find_more(meter, look, sampler))


def find_more(meter: Meter, look: Callable[[], Found], sampler: Sampler) -> None:
    """Look for devices that are not read now, if there is a reason to."""
    reading = {channel.sensor.device.id for channel in meter.channels if not channel.gone}
    if len(reading) == len(meter.channels) and any(c.sensor.device.kind == "gpu" for c in meter.channels):
        return
    try:
        found = look().sensors
    except AipowerError as error:
        log.debug("%s", error)
        return
    new = [sensor for sensor in found.sensors if sensor.device.id not in reading]
    for sensor in found.sensors:
        if sensor not in new:
            sensor.close()
    if new:
        log.info("found %s", ", ".join(sensor.device.id for sensor in new))
        sampler.add(SensorSet(new, found.usage))


def health(sampler: Sampler) -> Health:
    """Whether samples keep coming."""
    if sampler.stale():
        return Health(
            ok=False,
            reason="no sample lately: a sensor hangs or the sampler has stopped",
            sample_age_s=sampler.age_s(),
        )
    return Health(ok=True, sample_age_s=sampler.age_s())


def announce(found: SensorSet) -> None:
    """One line per device, and one per source that is missing."""
    for sensor in found.sensors:
        device = sensor.device
        log.info("%s %s: %s (%s), %s", device.kind, device.index, device.name, device.id, sensor.facts.method)
    for missing in found.unavailable:
        log.warning("%s not measured: %s; %s", missing.source, missing.reason, missing.remedy)
    if not any(sensor.device.kind in SUMMED_KINDS for sensor in found.sensors):
        log.warning("nothing to measure on this machine yet; see `aipower doctor`")


def load_exporters() -> Sequence[Exporter]:
    """The exporters of all installed packages; one that does not load costs only itself."""
    loaded: list[Exporter] = []
    for point in sorted(entry_points(group="aipower.exporters"), key=lambda point: point.name):
        try:
            loaded.append(point.load()())
        except Exception:  # a foreign package may fail in any way
            log.exception("exporter %s does not load", point.name)
    return loaded


@contextmanager
def periodic_work(find_more_devices: Callable[[], None]) -> Iterator[None]:
    """The slow work beside the sampler."""
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(find_more_devices, "interval", seconds=REDISCOVER_S, max_instances=1, coalesce=True)
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; the handlers that were there come back afterwards."""
    stop = threading.Event()

    def ask(_signo: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
