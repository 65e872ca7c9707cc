"""A small cluster with everything that goes wrong, as samples whose truth is plain arithmetic.

Every node has a GPU that idles at 50 W and a processor at 20 W. A job draws `watts` of the GPU and a tenth of it of
the processor. The agents are scraped every 15 s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

START_S = 1_768_392_000.0
"""Unix time: all else is in seconds after it."""
STEP_S = 15.0
LENGTH_S = 7200.0
END_S = START_S + LENGTH_S
IDLE_W = {"gpu": 50.0, "cpu": 20.0}
SHARE = {"gpu": 1.0, "cpu": 0.1}
KEPT_S = 300.0
ERROR = 0.06
"""The half-width of an account, relative."""
STRANGE = 'we"ird\\job.{x}|y'


@dataclass(frozen=True, slots=True)
class Load:
    """A job on a node."""

    job: str
    begin_s: float
    end_s: float
    watts: float
    system: str = "slurm"
    step: str = "0"
    user: str = "1000"
    name: str = ""
    seen: bool = True
    """False for one that nobody has ever scraped."""

    def energy_j(self, kind: str, at_s: float) -> float:
        """What it has used until then."""
        return self.watts * SHARE[kind] * max(0.0, min(at_s, self.end_s) - self.begin_s)

    def whole_j(self, from_s: float = 0.0, to_s: float = LENGTH_S) -> float:
        """Of both devices."""
        return sum(self.energy_j(kind, to_s) - self.energy_j(kind, from_s) for kind in SHARE)


@dataclass(frozen=True, slots=True)
class Host:
    """A node and how it was scraped."""

    name: str
    loads: tuple[Load, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    honoured: bool = True
    """False where Prometheus renames the label `job` of the page."""
    offset_s: float = 0.0
    scraped: Callable[[float], bool] = lambda _: True
    lost_s: float = math.inf
    """When its agent began again without its counters."""
    kept_s: float = KEPT_S
    """For how long its agent shows a job that has ended."""
    renamed_s: float = math.inf
    """From when on its agent has another address."""

    def target(self, at_s: float) -> dict[str, str]:
        """The labels that Prometheus gives."""
        port = 9877 if at_s < self.renamed_s else 9878
        return {"instance": f"{self.name}:{port}", **self.labels}

    def since(self, at_s: float) -> float:
        """When its counters began."""
        return self.lost_s if at_s >= self.lost_s else 0.0


def pages(hosts: tuple[Host, ...]) -> Iterator[tuple[float, str]]:
    """Lines of OpenMetrics with their times, as they are scraped."""
    for host in hosts:
        at_s = host.offset_s
        while at_s <= LENGTH_S:
            if host.scraped(at_s):
                yield at_s, "\n".join(_page(host, at_s))
            at_s += STEP_S


def _page(host: Host, at_s: float) -> Iterator[str]:
    since_s = host.since(at_s)
    yield _line(host, at_s, "aipower_build_info", {"version": "1"}, 1)
    yield _line(host, at_s, "aipower_counters_start_time_seconds", {}, START_S + since_s)
    for index, kind in enumerate(IDLE_W):
        device = {"device": f"GPU-{host.name}" if kind == "gpu" else "package-0", "kind": kind, "index": "0"}
        idle_j = IDLE_W[kind] * (at_s - since_s)
        loads_j = sum(load.energy_j(kind, at_s) - load.energy_j(kind, since_s) for load in host.loads)
        yield _line(host, at_s, "aipower_device_energy_joules_total", device, idle_j + loads_j)
        yield _line(
            host, at_s, "aipower_device_component_energy_joules_total", {**device, "component": "idle"}, idle_j
        )
        yield _line(
            host, at_s, "aipower_device_component_energy_joules_total", {**device, "component": "unattributed"}, 0
        )
        yield _line(host, at_s, "aipower_sensor_up", device, 1)
        yield _line(host, at_s, "aipower_device_power_watts", device, IDLE_W[kind] + _now_w(host, kind, at_s))
        info = {**device, "name": f"Card {index}", "uuid": device["device"], "driver": "1", "method": "counter"}
        yield _line(host, at_s, "aipower_device_info", info, 1)
        idle = {"system": "idle", "job": "", **device}
        yield _line(host, at_s, "aipower_job_energy_joules_total", idle, idle_j)
        yield from _accounts(host, at_s, kind, device, since_s)


def _accounts(host: Host, at_s: float, kind: str, device: dict[str, str], since_s: float) -> Iterator[str]:
    users_j: dict[str, float] = {}
    for load in host.loads:
        energy_j = load.energy_j(kind, at_s) - load.energy_j(kind, since_s)
        if load.begin_s <= at_s and energy_j > 0:
            users_j[load.user] = users_j.get(load.user, 0.0) + energy_j
        if load.seen and load.begin_s <= at_s < load.end_s + host.kept_s and energy_j > 0:
            own = {"system": load.system, "job": load.job, "step": load.step, "user": load.user, **device}
            yield _line(host, at_s, "aipower_job_energy_joules_total", own, energy_j)
            yield _line(host, at_s, "aipower_job_energy_error_joules", own, ERROR * energy_j)
            if kind == "gpu":
                facts = {"system": load.system, "job": load.job, "name": load.name, "team": "t"}
                yield _line(host, at_s, "aipower_job_info", facts, 1)
    for user, energy_j in users_j.items():
        yield _line(host, at_s, "aipower_user_energy_joules_total", {"user": user, **device}, energy_j)


def _now_w(host: Host, kind: str, at_s: float) -> float:
    return sum(load.watts * SHARE[kind] for load in host.loads if load.begin_s <= at_s < load.end_s)


def _line(host: Host, at_s: float, name: str, own: Mapping[str, str], value: float) -> str:
    scrape = {"job": "aipower"}
    if "job" in own and not host.honoured:
        own = {("exported_job" if label == "job" else label): text for label, text in own.items()}
    labels = {**scrape, **host.target(at_s), **own}
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items() if text)
    return f"{name}{{{inside}}} {value!r} {START_S + at_s:.3f}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


TWO = (Load("7", 600, 3000, 200, name="train"), Load("7", 605, 2990, 300, step="1", name="train"))
CUT = Load("8", 600, 2000, 250)
GONE = Load("9", 600, 6000, 250)
LOST = Load("10", 600, 3000, 100)
MOVED = Load("11", 600, 3000, 100)
TWICE = Load("12", 600, 3000, 100)
RUNNING = Load("13", 3600, LENGTH_S + 1000, 100, user="1001")
EARLY = Load("14", -1000, 3000, 100)
OTHER = Load("7", 600, 900, 100, name="another")
ODD = Load(STRANGE, 4000, 5000, 80, system="systemd")
FLASH = Load("15", 5100, 5110, 500, seen=False)
SERVICE = Load("web.service", 0, LENGTH_S + 1, 30, system="systemd", user="33")

AGAIN = (Load("cron.service", 300, 360, 10, system="systemd"), Load("cron.service", 1799, 2400, 400, system="systemd"))
"""The second time it has more at its first sample than half of what the first had in all."""

HASTY = Load("16", 600, 3005, 100)
"""On a node whose agent forgets a job before it is scraped again."""
SPREAD = (Load("17", 600, 3000, 100), Load("17", 600, 1007, 100))
"""Its second node was done long before the first."""

HOSTS = (
    Host("n1", (TWO[0], SERVICE), {"cluster": "x"}, honoured=False, offset_s=3),
    Host("n2", (TWO[1], RUNNING), {"cluster": "x"}, honoured=False, offset_s=11),
    Host("n3", (CUT,), {"cluster": "x"}, scraped=lambda at_s: not 1800 <= at_s < 3600),
    Host("n4", (GONE,), {"cluster": "x"}, scraped=lambda at_s: at_s < 1800),
    Host("n5", (LOST,), {"cluster": "x"}, lost_s=1805),
    Host("10.0.0.6", (MOVED,), {"cluster": "x", "node": "n6"}, renamed_s=1800),
    Host("n7", (TWICE,), {"cluster": "x", "replica": "a"}),
    Host("n7", (TWICE,), {"cluster": "x", "replica": "b"}, offset_s=0.2),
    Host("n8", (EARLY,), {"cluster": "x"}, scraped=lambda at_s: at_s >= 900),
    Host("n9", (HASTY,), {"cluster": "z"}, kept_s=0),
    Host("k1", (SPREAD[0],), {"cluster": "z"}),
    Host("k2", (SPREAD[1],), {"cluster": "z"}),
    Host("m1", (OTHER, ODD, FLASH, *AGAIN), {"cluster": "y"}),
)


def document() -> str:
    """All of it as OpenMetrics."""
    return "\n".join([*(text for _, text in sorted(pages(HOSTS))), "# EOF", ""])
