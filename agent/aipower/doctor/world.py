"""All that the checks look at, as arguments: directories, clocks, the driver's module, the agent."""

from __future__ import annotations

import ctypes
import errno
import http.client
import os
import platform
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from aipower.seams import Clock, SystemClock
from aipower.sensors.rapl.files import FileIo, SystemIo
from aipower.settings.address import Address, parse_address
from aipower.settings.config import AgentConfig

HTTP_TIMEOUT_S: Final = 2.0
"""Below the limit of a check, so that a silent agent is reported as such."""
BODY_BYTES: Final = 65536
READS: Final = 1000
ROUNDS: Final = 5
PR_GET_CHILD_SUBREAPER: Final = 37
"""linux/prctl.h; asking changes nothing, setting would."""


class ClockFacts(Struct, frozen=True):
    """What the clocks say."""

    resolution_s: float
    """Of CLOCK_MONOTONIC."""
    read_cost_s: float
    unix_s: float
    slept_s: float
    """Time that the machine was suspended since boot."""


class Answer(Struct, frozen=True):
    """An HTTP answer; status 0 where what came is not HTTP."""

    status: int
    body: str
    tls: bool = False


def read_clocks(clock: Clock) -> ClockFacts:
    """The facts of this machine's clocks, with the cost of `clock`'s monotonic time."""
    slept_s = time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    cost_s = min(_seconds_of_reads(clock) for _ in range(ROUNDS)) / READS
    return ClockFacts(time.clock_getres(time.CLOCK_MONOTONIC), cost_s, clock.unix_s(), max(0.0, slept_s))


def _seconds_of_reads(clock: Clock) -> float:
    begun_s = clock.monotonic_s()
    for _ in range(READS):
        clock.monotonic_s()
    return clock.monotonic_s() - begun_s


def load_nvml() -> Any:  # noqa: ANN401 - pynvml has no types
    """The module `pynvml`.

    Raises:
        ImportError: It is not installed.
    """
    import pynvml  # noqa: PLC0415 - a broken installation must become a finding, not end the command

    return pynvml


def installed(distribution: str) -> str:
    """The version of an installed distribution; "" where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def http_get(address: Address, path: str) -> Answer:
    """The answer to a GET, without any proxy.

    Raises:
        OSError: Nobody listens, or the answer does not come in time.
    """
    plain = _ask(http.client.HTTPConnection(address.host, address.port, timeout=HTTP_TIMEOUT_S), path)
    if plain.status:
        return plain
    # A service that wants TLS hangs up on plain requests. Whether its certificate is good is the scraper's business.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        secret = http.client.HTTPSConnection(address.host, address.port, timeout=HTTP_TIMEOUT_S, context=context)
        return replace(_ask(secret, path), tls=True)
    except ssl.SSLError:
        return replace(plain, tls=True)
    except OSError:
        return plain


def _ask(connection: http.client.HTTPConnection, path: str) -> Answer:
    try:
        connection.request("GET", path, headers={"connection": "close"})
        response = connection.getresponse()
        return Answer(response.status, response.read(BODY_BYTES).decode(errors="replace"))
    except http.client.HTTPException as error:
        return Answer(0, str(error))
    finally:
        connection.close()


def connects(path: Path) -> bool:
    """True if somebody listens on the Unix socket `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(HTTP_TIMEOUT_S)
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
    return True


def subreaper_refusal() -> str:
    """Why this process could not become a subreaper; "" where the kernel knows the call."""
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError) as error:
        return str(error)
    marked = ctypes.c_int(0)
    zero = ctypes.c_ulong(0)
    if prctl(ctypes.c_int(PR_GET_CHILD_SUBREAPER), ctypes.byref(marked), zero, zero, zero) == 0:
        return ""
    return errno.errorcode.get(ctypes.get_errno(), "refused")


class World(Struct, frozen=True):
    """This machine; each field can be another in a test."""

    proc: Path = Path("/proc")
    sysfs: Path = Path("/sys")
    powercap: Path | None = None
    """Where the RAPL counters are, if not below `sysfs`."""
    etc: Path = Path("/etc")
    environ: Mapping[str, str] = field(default_factory=dict)
    """Where the user's calibration file is."""
    clock: Clock = field(default_factory=SystemClock)
    clocks: Callable[[Clock], ClockFacts] = read_clocks
    rapl_io: FileIo = field(default_factory=SystemIo)
    load_nvml: Callable[[], Any] = load_nvml
    installed: Callable[[str], str] = installed
    subreaper_refusal: Callable[[], str] = subreaper_refusal
    listen: Address = field(default_factory=lambda: parse_address(AgentConfig().listen))
    get: Callable[[Address, str], Answer] = http_get
    connects: Callable[[Path], bool] = connects
    python: tuple[int, int, int] = field(default_factory=lambda: sys.version_info[:3])
    executable: str = field(default_factory=lambda: sys.executable)
    architecture: str = field(default_factory=platform.machine)

    @property
    def calibration_file(self) -> Path:
        """The system's calibration file."""
        return self.etc / "aipower/calibration.json"
