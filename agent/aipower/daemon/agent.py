"""The composition root of `aipower agent`.

The steps: log -> hear signals -> take the address and answer -> find the sensors -> wire -> sample -> attend to what
signals ask and systemd wants to hear -> at the end, undo all of it in reverse.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from queue import Empty, SimpleQueue

from msgspec import Struct

from aipower import __version__
from aipower.calibration.file import load_calibrations
from aipower.daemon.health import STOPPING
from aipower.daemon.log.logs import set_up_log
from aipower.daemon.memory import SETTLED_S, give_back, share_heap
from aipower.daemon.service.notify import Notifier, watchdog_s
from aipower.daemon.service.pulse import Pulse, View
from aipower.daemon.service.reload import Part, Reloader, Reloading, unchecked
from aipower.daemon.service.signals import Ask, hearing
from aipower.daemon.serving.http import Address, HttpService, make_app, parse_address
from aipower.daemon.serving.settling import Settling
from aipower.daemon.sinks.load import make_sinks
from aipower.daemon.sites.guests import Guests
from aipower.daemon.sites.load import load_sites
from aipower.daemon.sites.runs import shelf_maker
from aipower.daemon.sites.sources import Views, footprint_of, make_sources
from aipower.daemon.spared import spared
from aipower.daemon.wiring import Wish, wire
from aipower.daemon.work import End, Parts, Work
from aipower.errors import AipowerError
from aipower.history.book import HistoryBook
from aipower.imports.unbroken import imports
from aipower.model import Calibration
from aipower.processes.kept import raise_limit
from aipower.seams import Clock, Configurable, Exporter, SystemClock
from aipower.sensors.select import parse_selection
from aipower.settings.config import AgentConfig
from aipower.settings.places import AUTO
from aipower.site.resource import Resource

__all__ = ["leave", "load_exporters", "run", "serve", "set_up_log"]

log = logging.getLogger(__name__)


class Reloaded(Struct, frozen=True):
    """A reload is over."""

    note: str
    """What people should know of it; empty where it went well."""


SiteMaker = Callable[[Views], Sequence[Resource]]
"""Makes the pages of the measuring part."""

Event = Ask | End | Reloaded


def run(config: AgentConfig, load: Callable[[], AgentConfig]) -> int:
    """Measure and serve as `config` says; `load` reads the settings again at SIGHUP. See `serve`.

    Raises:
        UsageError: The configuration or a calibration is wrong, or a sensor that was named is not to be had.
        AipowerError: The address is taken, or /proc cannot be read.
    """
    share_heap()
    raise_limit()
    written = set_up_log(config.log_level, config.log_format)
    # Where each thread was when the watchdog ended the agent: nobody was there to look.
    faulthandler.enable(file=2)
    selection, clock = parse_selection(config.sensors), SystemClock()
    address, calibrations = parse_address(config.listen), load_calibrations(os.environ)
    reloader = Reloader(config, load)
    reloader.add(calibrations_part(calibrations))
    reloader.add(unchecked(lambda new: written.set(new.log_level, new.log_format)))

    history = HistoryBook(config.history_s) if config.live_page == "on" else None
    with imports():
        wish = Wish(config, selection, calibrations, reloader, make_sinks(config.sinks), history)
    make_sites = site_maker(config, history, clock)
    try:
        with imports(), spared():
            exporters = load_exporters(config)
        make = partial(wired, wish, clock)
        own = config.run_records == AUTO
        return serve(address, make, clock, reloader, web_path(config), exporters, make_sites, own_records=own)
    finally:
        # What went before must be on the screen before the error that ends it.
        written.flush()


def wired(wish: Wish, clock: Clock, tell: Callable[[End], None]) -> Parts:
    """As `wire`; when the rest has started as well, memory goes back."""
    parts = wire(wish, clock, tell)
    tidying = threading.Timer(SETTLED_S, give_back)
    tidying.daemon = True
    tidying.start()
    return parts


def site_maker(config: AgentConfig, history: HistoryBook | None, clock: Clock) -> SiteMaker:
    """What makes the live page and its API; they are nothing without a history.

    Raises:
        UsageError: What is to be shown of runs, or the price of the electricity, is wrong.
    """
    if history is None:
        return lambda _views: ()
    make_shelf, footprint = shelf_maker(config, os.environ), footprint_of(os.environ)

    def make(views: Views) -> Sequence[Resource]:
        with spared():
            return load_sites(make_sources(views, history, make_shelf(views.access), footprint, config, clock))

    return make


def calibrations_part(before: Mapping[str, Calibration]) -> Part:
    """Checks the calibrations at a reload, and tells where they are other than `before`."""

    def part(_config: AgentConfig) -> Callable[[], None]:
        new = load_calibrations(os.environ)
        return lambda: None if new == before else log.warning("calibrations: take effect at the next start")

    return part


def web_path(config: AgentConfig) -> Path | None:
    """The file with the rules of access, if there are to be any."""
    return Path(config.web_config) if config.web_config else None


def web_part(service: HttpService) -> Part:
    """Checks the rules of access at a reload, and puts them into force as they were then."""
    return lambda config: service.check(web_path(config))


def serve(
    address: Address,
    make: Callable[[Callable[[End], None]], Parts],
    clock: Clock,
    reloader: Reloader | None = None,
    web_config: Path | None = None,
    exporters: Sequence[Exporter] | None = None,
    make_sites: SiteMaker = lambda _views: (),
    *,
    own_records: bool = True,
) -> int:
    """Run what `make` returns until SIGTERM or SIGINT; 0 after a clean stop, 1 if samples can no longer be taken.

    Leaves the process at once, with that code, where a driver hangs and would hold up its end.

    Raises:
        AipowerError: The address is taken, or `make` has raised it.
    """
    events: SimpleQueue[Event] = SimpleQueue()
    with ExitStack() as stack:
        stack.enter_context(hearing(events.put, lambda: leave(0, "the stop takes too long, or was asked for twice")))
        notifier = stack.enter_context(Notifier(os.environ.get("NOTIFY_SOCKET", "")))
        work = Work(lambda: make(events.put), clock, events.put)
        ending = threading.Event()
        sites = make_sites(Views(work.snapshot, work.health, lambda: service.access))
        app = make_app(
            work.snapshot,
            exporters if exporters is not None else load_exporters(),
            work.health,
            ready=lambda: STOPPING if ending.is_set() else work.health(),
            settle=Settling(work.flushed),
            sites=sites,
            guests=Guests(address.host, lambda: service.access, own_records=own_records),
        )
        service = stack.enter_context(HttpService(app, address.host, address.port, web_config=web_config))
        log.info("aipower %s serves %s/metrics%s", __version__, service.url, " and a live page at /" if sites else "")
        if reloader:
            reloader.add(web_part(service))
        work.start()
        stack.callback(work.stop)
        view = View(work.snapshot, work.health, service.answers)
        pulse = Pulse(notifier, view, clock, watchdog_s(os.environ, os.getpid()))
        end = attend(events, pulse, reloader)
        ending.set()
        pulse.stop()
        log.info("stopping")
    if isinstance(end, AipowerError):
        raise end
    if work.hangs():
        leave(end, "a driver or a sink hangs; leaving without it")
    return end


def attend(events: SimpleQueue[Event], pulse: Pulse, reloader: Reloader | None) -> End:
    """Why the agent is to end, once it is; until then, reloads and what systemd wants to hear."""
    reloading = reloader and Reloading(reloader, lambda note: events.put(Reloaded(note)))
    while True:
        match next_event(events, pulse.pause_s()):
            case Ask.STOP:
                return 0
            case Ask.RELOAD if reloading:
                pulse.reload_begins()
                reloading.ask()
            case Reloaded(note):
                pulse.reload_ends(note)
            case int() | AipowerError() as end:
                return end
        pulse.beat()


def next_event(events: SimpleQueue[Event], timeout_s: float | None) -> Event | None:
    """The next event, None where there is none within `timeout_s`."""
    try:
        return events.get(timeout=timeout_s)
    except Empty:
        return None


def load_exporters(config: AgentConfig | None = None) -> Sequence[Exporter]:
    """The exporters of all installed packages as `config` has them; one that does not load costs only itself."""
    settings = asdict(config or AgentConfig())
    del settings["sinks"]  # there may be passwords in it
    loaded: list[Exporter] = []
    for point in sorted(entry_points(group="aipower.exporters"), key=lambda point: point.name):
        try:
            exporter: Exporter = point.load()()
            loaded.append(exporter.configured(settings) if isinstance(exporter, Configurable) else exporter)
        except Exception:  # a foreign package may fail in any way
            log.exception("exporter %s does not load", point.name)
    return loaded


def leave(code: int, why: str) -> None:
    """End the process now, without waiting for threads or for the driver's own clean-up."""
    log.warning("%s", why)
    logging.shutdown()
    os._exit(code)
