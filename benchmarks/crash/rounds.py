"""Rounds of the crash campaign: an agent lives for a random while and is killed; what it has shown is judged."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.campaign.node import Node, wait_until
from benchmarks.campaign.pages import AGENT_START, DEVICE, broken_laws, by_device, fault_count, up, value
from benchmarks.campaign.scraper import Page, Scraper
from benchmarks.campaign.tracker import Tracker
from benchmarks.crash.journals import Stand, as_of_another_version, put_back, stand

End = Literal["kill", "power cut", "upgrade", "stop"]
ENDS: tuple[End, ...] = ("kill", "kill", "kill", "kill", "power cut", "upgrade", "kill", "stop")
EARLY = 0.25
"""Share of agents that are killed while they start."""
BRIDGES = ("unwatched", "gap")
"""Each device that is read again after a restart has one of these."""
MOST_LAG_S = 15.0
"""No energy comes later than this on a page, whatever else the machine does."""
MARGIN_S = 0.05
"""The thread that advances the counters and ours look at the clock at different moments."""


@dataclass(frozen=True, slots=True)
class Life:
    """How long an agent lives: from its start, or from its first page with devices where it `measures`."""

    seconds: float
    measures: bool


@dataclass(slots=True)
class Tally:
    """What came of all rounds."""

    wrong: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    rounds_seen: int = 0
    """Rounds of which at least one page with devices was scraped."""
    lag_s: float = 0.0
    """The most by which a page of a settled agent was behind the hardware, in seconds of highest power."""
    lost_uj: Counter[str] = field(default_factory=Counter)
    """Energy that was declared missing, by device."""
    bridged: int = 0
    """Times that a device's counter told what was used while no agent ran."""


@dataclass
class Campaign:
    """The rounds, one after the other."""

    node: Node
    scraper: Scraper
    dice: random.Random
    tally: Tally = field(default_factory=Tally)
    tracker: Tracker = field(default_factory=Tracker)
    stand: Stand = field(default_factory=Stand)

    def round(self, end: End, life: Life) -> None:
        """Start an agent, have it live, and end it."""
        self.tally.ends[end] += 1
        declared = self._declared()
        begun_unix_s, agent = time.time(), self.node.start()
        # Before it hears signals a stop is what it is for every program.
        if life.measures or end == "stop":
            wait_until("a page with devices", self._measures)
        self._live(life.seconds, agent)
        copied_s = self._copy(agent) if end == "power cut" else None
        if copied_s is not None:
            self._live(self.dice.uniform(0.0, 1.5), agent)
        self._end(end)
        pages = self.scraper.take()
        if copied_s is not None:
            put_back(self.node.folder / "copy", self.node.state)
            pages = [page for page in pages if page.came_s < copied_s]
        self._judge(pages, begun_unix_s, declared)
        self._after(end)

    def _measures(self) -> bool:
        page = self.scraper.newest()
        return page is not None and bool(by_device(page.series, DEVICE))

    def _live(self, seconds: float, agent: subprocess.Popen[bytes]) -> None:
        """Jobs come and go meanwhile; an agent that ends by itself is wrong."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, self.dice.uniform(0.05, 0.8)))
            self.node.jobs.replace(self.dice.randrange(len(self.node.machine.gpus)))
        if agent.poll() is not None:
            raise RuntimeError(f"the agent has ended by itself: {self.node.log()[-3000:]}")

    def _copy(self, agent: subprocess.Popen[bytes]) -> float:
        """Keep the state as it is on the disk at one moment, which is returned."""
        copy = self.node.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        # Nothing is written while it is copied: a disk that loses power has all its files of one moment.
        agent.send_signal(signal.SIGSTOP)
        moment_s = time.monotonic()
        try:
            self.node.state.mkdir(exist_ok=True)
            shutil.copytree(self.node.state, copy)
        finally:
            agent.send_signal(signal.SIGCONT)
        return moment_s

    def _end(self, end: End) -> None:
        code = self.node.end(signal.SIGTERM if end == "stop" else signal.SIGKILL)
        if code != (0 if end == "stop" else -signal.SIGKILL):
            self.tally.wrong.append(f"{end}: exit code {code}")
        if "Traceback" in self.node.log():
            self.tally.wrong.append(f"a traceback: {self.node.log()[-3000:]}")
            (self.node.folder / "agent.log").unlink()

    def _after(self, end: End) -> None:
        if end == "power cut":
            self.stand = stand(self.node.state)
        if end == "upgrade" and self.node.state.exists():
            as_of_another_version(self.node.state, self.dice)

    def _declared(self) -> Mapping[str, int]:
        """How many times each device was told not to have been watched, up to the last page."""
        page = self.tracker.shown
        return {device: fault_count(page, device, *BRIDGES) for device in by_device(page, DEVICE)}

    def _judge(self, pages: list[Page], begun_unix_s: float, declared: Mapping[str, int]) -> None:
        wrong = self.tally.wrong
        for page in pages:
            wrong += self.tracker.see(page.series) + broken_laws(page.series)
            start = value(page.series, AGENT_START)
            if start and start < begun_unix_s - 1:
                wrong.append(f"the agent says that it started {begun_unix_s - start:.1f} s before it did")
        self.tally.pages += len(pages)
        found = stand(self.node.state)
        self._judge_stand(found)
        with_devices = [page for page in pages if by_device(page.series, DEVICE)]
        if with_devices:
            self.tally.rounds_seen += 1
            self._judge_declared(with_devices[-1], declared)
        for page in with_devices:
            self._judge_energy(page, found)
        self.stand = found

    def _judge_stand(self, found: Stand) -> None:
        """Nothing that the counters have told is lost, unless that is declared; and nothing is invented."""
        for device, owed_uj in found.owed_uj.items():
            before_uj = self.stand.owed_uj.get(device)
            if before_uj is None:
                continue
            more_uj = owed_uj - before_uj
            declared = found.losses.get(device, 0) > self.stand.losses.get(device, 0)
            if more_uj < 0 or (more_uj and not declared):
                self.tally.wrong.append(f"{device}: {more_uj} uJ of the counter are lost, declared: {declared}")
            self.tally.lost_uj[device] += more_uj

    def _judge_declared(self, last: Page, declared: Mapping[str, int]) -> None:
        """Whoever is read again was told not to have been watched."""
        for device in up(last.series) & declared.keys():
            told = fault_count(last.series, device, *BRIDGES) - declared[device]
            self.tally.bridged += max(0, told)
            if told < 1:
                self.tally.wrong.append(f"{device}: read again without a word of the time before")

    def _judge_energy(self, page: Page, found: Stand) -> None:
        """No page has more than the hardware, nor much less once the agent is under way."""
        energies = by_device(page.series, DEVICE)
        for device in up(page.series) & found.owed_uj.keys():
            most_uj = self.node.counter_uj(device, page.came_s + MARGIN_S) - found.owed_uj[device]
            if energies[device] > most_uj:
                self.tally.wrong.append(f"{device}: {energies[device]} uJ on a page, the hardware has {most_uj}")
            lag_s = (most_uj - energies[device]) / 1e6 / self.node.most_w(device)
            self.tally.lag_s = max(self.tally.lag_s, lag_s)
            if lag_s > MOST_LAG_S:
                self.tally.wrong.append(f"{device}: a page is {lag_s:.1f} s behind")


def life(dice: random.Random) -> Life:
    """How long an agent lives: some die while they start, most some seconds after their first page."""
    if dice.random() < EARLY:
        return Life(dice.uniform(0.0, 1.5), measures=False)
    return Life(min(5.0, dice.expovariate(1 / 1.5)), measures=True)


def last_round(campaign: Campaign) -> None:
    """An agent that lives until all its devices are read, and is stopped in the end."""
    node = campaign.node
    devices = {*(gpu.uuid for gpu in node.machine.gpus), *(zone.id for zone in node.tree.zones)}
    campaign.tally.ends["stop"] += 1
    declared, begun_unix_s = campaign._declared(), time.time()  # noqa: SLF001 - it is a round of its own kind
    node.start()
    pages: list[Page] = []

    def all_up() -> bool:
        pages.extend(campaign.scraper.take())
        return bool(pages) and up(pages[-1].series) >= devices

    wait_until("a page with all devices", all_up)
    campaign._end("stop")  # noqa: SLF001 - likewise
    campaign._judge([*pages, *campaign.scraper.take()], begun_unix_s, declared)  # noqa: SLF001 - likewise
