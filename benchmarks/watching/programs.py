"""The programs that are compared: how each is started, when it is ready, and what it does for its cost."""

from __future__ import annotations

import shutil
import socket
import sys
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "rivals"
NVITOP_LEAST_S = 0.25
PAGE_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run of a program keeps its things."""

    folder: Path
    port: int
    interval_s: float
    rivals: Path
    flags: Sequence[str] = ()
    """More of them, for aipower."""

    @property
    def ready(self) -> Path:
        """A file that scripts make once they watch."""
        return self.folder / "ready"

    def python(self, rival: str) -> str:
        """The interpreter of a rival's virtual environment."""
        return str(self.rivals / rival / "bin" / "python")

    def script(self, rival: str, name: str) -> Sequence[str]:
        """The command of one of our scripts for a rival."""
        return self.python(rival), str(SCRIPTS / name), repr(self.interval_s), str(self.ready)


@dataclass(frozen=True, slots=True)
class Program:
    """One program."""

    name: str
    rival: str | None
    """The virtual environment that it needs; None for aipower and for what the system has."""
    command: Callable[[Place], Sequence[str]]
    does: str
    per_process: str
    energy: str
    page: bool = False
    """It serves /metrics, and is ready once it does; the others make a file."""

    def available(self, rivals: Path | None) -> bool:
        """Whether it is installed."""
        if self.rival is None:
            return self.name != NODE_EXPORTER.name or shutil.which(self.name) is not None
        return rivals is not None and (rivals / self.rival / "bin" / "python").exists()

    def is_ready(self, place: Place) -> bool:
        """Whether it watches by now."""
        return bool(fetch(place.port)) if self.page else place.ready.exists()


def fetch(port: int) -> bytes:
    """The page of metrics; empty while nobody serves it."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PAGE_LIMIT_S) as page:
            return bytes(page.read())
    except OSError:
        return b""


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _aipower(place: Place) -> Sequence[str]:
    config = place.folder / "aipower.toml"
    config.touch()
    return (
        *(sys.executable, "-m", "aipower", "agent", "--config", str(config)),
        *("--listen", f"127.0.0.1:{place.port}", "--interval-s", repr(place.interval_s)),
        *("--state-dir", str(place.folder / "state"), "--socket", str(place.folder / "agent.sock")),
        *place.flags,
    )


def _nvitop(place: Place) -> Sequence[str]:
    python = place.python("nvitop-exporter")
    if place.interval_s < NVITOP_LEAST_S:
        script = SCRIPTS / "nvitop_exporter_fast.py"
        return python, str(script), repr(place.interval_s), str(place.port)
    return (
        *(python, "-m", "nvitop_exporter", "--bind-address", "127.0.0.1"),
        *("--port", str(place.port), "--interval", repr(place.interval_s)),
    )


def _aluminatiai(place: Place) -> Sequence[str]:
    agent = str(place.rivals / "aluminatiai" / "bin" / "aluminatiai")
    flags = ("--prometheus-only", "--quiet", "--log-level=ERROR", f"--interval={place.interval_s!r}")
    return "env", f"METRICS_PORT={place.port}", agent, *flags


def _node_exporter(place: Place) -> Sequence[str]:
    return "prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{place.port}", "--log.level=error"


AIPOWER = Program(
    "aipower",
    None,
    _aipower,
    does="energy of devices, of each process, user and job, with intervals",
    per_process="energy",
    energy="yes",
    page=True,
)
NVITOP = Program(
    "nvitop-exporter",
    "nvitop-exporter",
    _nvitop,
    does="power and state of devices, load of each GPU process",
    per_process="load",
    energy="no",
    page=True,
)
ZEUS = Program(
    "zeus PowerMonitor",
    "zeus",
    lambda place: place.script("zeus", "zeus_power.py"),
    does="power over time of devices",
    per_process="no",
    energy="no",
)
CODECARBON = Program(
    "codecarbon",
    "codecarbon",
    lambda place: place.script("codecarbon", "codecarbon_tracker.py"),
    does="energy of devices as one sum, CPU and RAM from a model",
    per_process="no",
    energy="yes",
)
GPUSTAT = Program(
    "gpustat",
    "gpustat",
    lambda place: place.script("gpustat", "gpustat_loop.py"),
    does="power and state of devices, names and memory of GPU processes",
    per_process="memory",
    energy="no",
)
ALUMINATIAI = Program(
    "aluminatiai",
    "aluminatiai",
    _aluminatiai,
    does="power and energy (power times time) of devices, split over jobs by memory",
    per_process="no",
    energy="from power",
    page=True,
)
NODE_EXPORTER = Program(
    "prometheus-node-exporter",
    None,
    _node_exporter,
    does="the machine's counters, without GPUs and processes; works only when scraped",
    per_process="no",
    energy="RAPL",
    page=True,
)
RIVALS = (NVITOP, ZEUS, CODECARBON, GPUSTAT, ALUMINATIAI)
