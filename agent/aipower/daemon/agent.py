"""The composition root of `aipower agent`.

The steps: load the configuration -> take the address and answer -> find the sensors -> wire -> sample -> on a signal,
undo all of it in reverse.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.metadata import entry_points
from queue import SimpleQueue
from types import FrameType

from aipower import __version__
from aipower.calibration.file import load_calibrations
from aipower.daemon.finder import Finder
from aipower.daemon.http import Address, HttpService, make_app, parse_address
from aipower.daemon.sampler import Pace, Sampler
from aipower.daemon.work import End, Parts, Work
from aipower.errors import AipowerError, SensorError
from aipower.ledger import Ledger
from aipower.meter import Meter
from aipower.model import SUMMED_KINDS, Calibration
from aipower.processes.machine import MachineCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.seams import Clock, Exporter, SensorSet, SystemClock
from aipower.sensors.select import Machine, Selection, discover, parse_selection
from aipower.settings.config import AgentConfig

log = logging.getLogger(__name__)


def run(config: AgentConfig) -> int:
    """Measure and serve as `config` says; see `serve`.

    Raises:
        UsageError: The configuration or a calibration is wrong, or a sensor that was named is not to be had.
        AipowerError: The address is taken, or /proc cannot be read.
    """
    set_up_log(config.log_level)
    selection, clock = parse_selection(config.sensors), SystemClock()
    address, calibrations = parse_address(config.listen), load_calibrations(os.environ)
    return serve(address, lambda end: wire(config, selection, calibrations, clock, end), clock)


def serve(address: Address, make: Callable[[Callable[[End], None]], Parts], clock: Clock) -> int:
    """Run what `make` returns until SIGTERM or SIGINT; 0 after a clean stop, 1 if samples can no longer be taken.

    Leaves the process at once, with that code, where a driver hangs and would hold up its end.

    Raises:
        AipowerError: The address is taken, or `make` has raised it.
    """
    with ExitStack() as stack:
        ends = stack.enter_context(ending_on_signals())
        work = Work(lambda: make(ends.put), clock, ends.put)
        app = make_app(work.snapshot, load_exporters(), work.health)
        service = stack.enter_context(HttpService(app, address.host, address.port))
        log.info("aipower %s serves http://%s/metrics", __version__, service.address)
        work.start()
        stack.callback(work.stop)
        end = ends.get()
        log.info("stopping")
    if isinstance(end, AipowerError):
        raise end
    if work.hangs():
        leave(end)
    return end


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


def load_exporters() -> Sequence[Exporter]:
    """The exporters of all installed packages; one that does not load costs only itself."""
    loaded: list[Exporter] = []
    for point in sorted(entry_points(group="aipower.exporters"), key=lambda point: point.name):
        try:
            loaded.append(point.load()())
        except Exception:  # a foreign package may fail in any way
            log.exception("exporter %s does not load", point.name)
    return loaded


def set_up_log(level: str) -> None:
    """Log to stderr."""
    logging.basicConfig(
        stream=sys.stderr, level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # It reports every run of every job at INFO.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)


def leave(code: int) -> None:
    """End the process now, without waiting for threads or for the driver's own clean-up."""
    log.warning("a driver hangs; leaving without it")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@contextmanager
def ending_on_signals() -> Iterator[SimpleQueue[End]]:
    """A queue in which SIGTERM and SIGINT put 0; the handlers that were there come back afterwards.

    A queue of this kind, unlike an event, may be filled by a handler that interrupts its own reader.
    """
    ends: SimpleQueue[End] = SimpleQueue()

    def ask(_signo: int, _frame: FrameType | None) -> None:
        ends.put(0)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield ends
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
