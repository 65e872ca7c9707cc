"""Checks of the NVIDIA driver as a whole."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from aipower.doctor import gpu
from aipower.doctor.finding import Check, Result
from aipower.doctor.text import plural, read_text
from aipower.doctor.world import World
from aipower.errors import SensorUnavailableError
from aipower.sensors.nvml.codes import DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, CallError
from aipower.sensors.nvml.driver import Driver

INIT_LIMIT_S: Final = 15.0
"""Without persistence the driver wakes each GPU in turn, 1.5 s for each of up to eight (see persistence)."""
NVIDIA_VENDOR: Final = "0x10de"
DISPLAY_CLASS: Final = "0x03"
"""PCI base class of VGA and 3D controllers."""
INSTALL: Final = "python -m pip install 'nvidia-ml-py>=12.560'"
OLD_PYNVML: Final = 12
"""Before 12 the distribution `pynvml` had a module of its own, which overwrites that of nvidia-ml-py."""
ABSENT: Final = frozenset({LIBRARY_NOT_FOUND, DRIVER_NOT_LOADED})


def bindings(world: World) -> Result:
    """The version of nvidia-ml-py."""
    version, rival = world.installed("nvidia-ml-py"), world.installed("pynvml")
    if not version:
        return Result("fail", "nvidia-ml-py is not installed", INSTALL)
    major = rival.partition(".")[0]
    if major.isdecimal() and int(major) < OLD_PYNVML:
        remedy = "python -m pip uninstall -y pynvml && python -m pip install --force-reinstall nvidia-ml-py"
        return Result("warn", f"nvidia-ml-py {version}, overwritten by the old package pynvml {rival}", remedy)
    return Result("ok", f"nvidia-ml-py {version}")


def driver(world: World) -> Result:
    """Whether NVML can be used; the library's version and one group of checks for each GPU follow."""
    try:
        session = Driver(world.load_nvml())
    except ImportError as error:
        return Result("fail", f"pynvml cannot be imported: {error}", INSTALL, _no_library())
    try:
        session.open()
    except SensorUnavailableError as error:
        return _unusable(world, error)
    # The session is left open: the checks that follow use it, and it ends with the process.
    version = session.text("nvmlSystemGetDriverVersion") or "of unknown version"
    library = Check("nvml", "NVML library", partial(_library, session))
    try:
        count = int(session.call("nvmlDeviceGetCount"))
    except CallError as error:
        return Result("fail", f"driver {version}, but no list of GPUs: {error}", error.remedy, (library,))
    found = f"driver {version}, {plural(count, 'GPU')}"
    if count == 0:
        return Result("warn", f"{found}: GPU energy is not measured", "check `nvidia-smi -L` and `lspci`", (library,))
    each = (check for index in range(count) for check in gpu.checks(session, index, world))
    return Result("ok", found, then=(library, *each))


def _unusable(world: World, error: SensorUnavailableError) -> Result:
    """No driver is a warning, unless there is a GPU that wants one, or something is broken."""
    cards = nvidia_cards(world.sysfs)
    code = error.__cause__.code if isinstance(error.__cause__, CallError) else None
    if code in ABSENT and cards == 0:
        found = f"no NVIDIA GPU: {error}; GPU energy is not measured"
        return Result("warn", found, f"none is needed without a GPU; else {error.remedy}", _no_library())
    seen = f", yet the PCI bus has {plural(cards, 'NVIDIA GPU')}" if cards else ""
    return Result("fail", f"{error}{seen}; GPU energy is not measured", error.remedy, _no_library())


def _no_library() -> tuple[Check]:
    return (Check("nvml", "NVML library", lambda: Result("skip", "needs the NVIDIA driver")),)


def _library(session: Driver) -> Result:
    version = session.text("nvmlSystemGetNVMLVersion")
    return Result("ok", version) if version else Result("warn", "the library does not tell its version")


def nvidia_cards(sysfs: Path) -> int:
    """The number of NVIDIA GPUs on the PCI bus that are not given away to a virtual machine."""
    try:
        devices = list((sysfs / "bus/pci/devices").iterdir())
    except OSError:
        return 0
    return sum(_is_card(device) for device in devices)


def _is_card(device: Path) -> bool:
    if read_text(device / "vendor") != NVIDIA_VENDOR or not read_text(device / "class").startswith(DISPLAY_CLASS):
        return False
    try:
        return (device / "driver").readlink().name != "vfio-pci"
    except OSError:
        return True
