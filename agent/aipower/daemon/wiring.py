"""What the agent samples with: sensors, ledger, journal, sampler, finder and the runs of others, put together."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from msgspec import Struct, field

from aipower.books.ledger import Ledger
from aipower.books.resume import idle_levels_w, positions, revived
from aipower.daemon.finding.finder import Finder
from aipower.daemon.finding.looks import sources_of
from aipower.daemon.labels import user_labels
from aipower.daemon.runs.desk import RunDesk, Shop
from aipower.daemon.runs.service import RunService
from aipower.daemon.runs.taps import Taps
from aipower.daemon.sampling.sampler import Pace, Sampler
from aipower.daemon.sampling.tick import Outside, asleep_s
from aipower.daemon.service.reload import Reloader, unchecked
from aipower.daemon.sinks.service import SinkService, Way
from aipower.daemon.sites.chronicle import Chronicle
from aipower.daemon.work import End, Parts
from aipower.errors import AipowerError, SensorError
from aipower.history.book import HistoryBook
from aipower.journal.writer import JournalWriter, open_journal
from aipower.meter import Meter
from aipower.model import SUMMED_KINDS, Calibration, Fault, Snapshot
from aipower.owners.reader import PlaceReader
from aipower.processes.machine import MachineCpuUsage
from aipower.processes.procfs import ProcFs
from aipower.processes.shared import SharedProcessTable
from aipower.seams import Clock, SensorSet
from aipower.sensors.select import Found, Machine, Selection, discover
from aipower.settings.config import AgentConfig
from aipower.settings.places import AUTO, places

log = logging.getLogger(__name__)

START_PATIENCE_S = 1.0
"""What has been found by then is measured from the first sample on; the rest joins."""


class Wish(Struct, frozen=True):
    """What the agent is to do."""

    config: AgentConfig
    selection: Selection
    calibrations: Mapping[str, Calibration]
    reloader: Reloader
    ways: Mapping[str, Way] = field(default_factory=dict)
    """Where else the snapshots go, by name."""
    history: HistoryBook | None = None
    """Where the past is kept for those who look at the live page."""


class Kept(Struct, frozen=True):
    """The journal, and what it held."""

    writer: JournalWriter | None
    state: Snapshot | None


def wire(wish: Wish, clock: Clock, end: Callable[[End], None]) -> Parts:
    """All parts, not started. A sensor that was named and is not to be had is told to `end`.

    Raises:
        AipowerError: /proc cannot be read.
    """
    config = wish.config
    # A pod in its node's network has the node's name for its host name.
    names = frozenset(filter(None, (os.uname().nodename, os.environ.get("AIPOWER_NODE"))))
    place_of = PlaceReader(environment=config.job_environment == "on", node_names=names).read
    label_of = user_labels(config.user_labels)
    table = SharedProcessTable(procfs := ProcFs(), clock, label_of, place_of=place_of)
    try:
        cpu_usage = MachineCpuUsage(procfs, table, clock)
    except SensorError as error:
        raise AipowerError(f"{error}; the agent needs /proc") from error
    machine = Machine(table, clock, os.environ)
    simulated = bool(wish.selection.fake_gpus)
    found = discover(wish.selection, machine, cpu_usage) if simulated else Found(SensorSet(), table)
    where = places(os.environ, os.geteuid(), config.socket, config.state_dir)
    kept = _open(where.state_dir, config, clock)
    ledger = _ledger(config, found, kept, table, clock, procfs.own_pid())
    if simulated:
        log.warning("simulated sensors: the figures are no measurement")
    max_gap_s, taps, desk = max(5.0, 3 * config.interval_s), Taps(), RunDesk()
    meter = Meter(
        taps.wrap(found.sensors),
        ledger,
        clock,
        max_gap_s,
        desk.run_of,
        wish.calibrations,
        positions=positions(kept.state, table.boot, asleep_s()),
        jobs=True,
        idle_levels_w=idle_levels_w(kept.state),
    )
    pace = Pace(config.interval_s, config.process_interval_s)
    outside = Outside()
    if wish.history is not None:
        wish.history.describe_with(found.directory.describe)
        meter.tell(Chronicle(wish.history, wish.calibrations))
    sampler = Sampler(meter, ledger, pace, clock, lambda: end(1), desk, kept.writer, outside, wish.history)
    report = partial(_report, sampler, ledger)
    finder = Finder(
        meter, sampler, () if simulated else sources_of(wish.selection, machine, cpu_usage, end), clock, report
    )
    shop = Shop(meter, ledger, taps, table, procfs, clock, max_gap_s, wish.calibrations, label_of, finder.unavailable)
    desk.open_shop(shop)
    sinks = SinkService(wish.ways, clock)
    outside.unavailable, outside.sinks = finder.unavailable, sinks.states
    meter.adopt(taps.wrap(finder.first_look(START_PATIENCE_S)))
    if not any(channel.sensor.device.kind in SUMMED_KINDS for channel in meter.channels):
        log.warning("nothing to measure on this machine yet; see `aipower doctor`")
    _reloads(wish.reloader, sampler, ledger, clock, report)
    return Parts(sampler, finder, kept.writer, _service(where.socket, config, desk, sampler), sinks)


def _open(folder: Path | None, config: AgentConfig, clock: Clock) -> Kept:
    if folder is None:
        log.info("counters begin at 0: no folder is named in which they would outlive a restart")
        return Kept(None, None)
    kept = Kept(*open_journal(folder, clock, config.flush_interval_s))
    log.info("counters %s, kept in %s", "begin at 0" if kept.state is None else "go on", folder)
    return kept


def _ledger(
    config: AgentConfig, found: Found, kept: Kept, table: SharedProcessTable, clock: Clock, own_pid: int | None
) -> Ledger:
    """The accounts, with what an earlier agent counted.

    Raises:
        AipowerError: /proc cannot be read.
    """
    ledger = Ledger(
        found.directory,
        config.max_processes,
        config.retention_s,
        max_runs=config.max_runs,
        max_jobs=config.max_jobs,
        boot=table.boot,
        naming=config.user_labels,
        since_unix_s=clock.unix_s(),
        own=table.resolve(own_pid) if own_pid is not None else None,
    )
    if kept.state is None:
        return ledger
    try:
        ledger.restore(revived(kept.state, clock.monotonic_s(), table.boot, config.user_labels, table))
    except OSError as error:
        raise AipowerError(f"/proc cannot be read: {error.strerror}; the agent needs it") from error
    return ledger


def _service(path: Path | None, config: AgentConfig, desk: RunDesk, sampler: Sampler) -> RunService | None:
    """The socket; a folder is made for it in the usual place only."""
    if path is not None:
        return RunService(path, desk, sampler, make_folder=config.socket == AUTO)
    if config.socket == AUTO:
        log.info("no socket for aipower-run: XDG_RUNTIME_DIR is not set; runs measure by themselves")
    return None


def _report(sampler: Sampler, ledger: Ledger, fault: Fault) -> None:
    """Count a fault that another thread has met."""
    sampler.ask(partial(ledger.fault, fault))


def _reloads(
    reloader: Reloader, sampler: Sampler, ledger: Ledger, clock: Clock, report: Callable[[Fault], None]
) -> None:
    """What new settings change here."""

    def limit(config: AgentConfig) -> None:
        sampler.ask(lambda: ledger.limit(config.max_processes, config.retention_s, config.max_runs, config.max_jobs))

    def refused(why: str) -> None:
        report(Fault(None, clock.monotonic_s(), "reload_failed", retry=True, detail=why))

    reloader.add(unchecked(lambda config: sampler.set_pace(Pace(config.interval_s, config.process_interval_s))))
    reloader.add(unchecked(limit))
    reloader.report_to(refused)
