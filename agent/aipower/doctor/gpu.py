"""Checks of one GPU."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from aipower.doctor import calibration
from aipower.doctor.finding import Check, Result
from aipower.doctor.world import World
from aipower.seams import Clock
from aipower.sensors.nvml import fields, gpm
from aipower.sensors.nvml.codes import INSUFFICIENT_SIZE, KERNEL_LOG, NEVER, NOT_FOUND, NOT_SUPPORTED, CallError
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.usage import COMPUTE
from aipower.sensors.nvml.utilization import ask

ARCHITECTURES: Final[Mapping[int | None, str]] = MappingProxyType(
    {
        2: "Kepler", 3: "Maxwell", 4: "Pascal", 5: "Volta", 6: "Turing", 7: "Ampere",
        8: "Ada", 9: "Hopper", 10: "Blackwell", 13: "Rubin",
    }
)  # fmt: skip
"""nvmlDeviceArchitecture_t of nvml.h."""
POWER_WORDS: Final[Mapping[int | str | None, str]] = MappingProxyType(
    {
        fields.INSTANT: "yes",
        fields.AVERAGE: "no (1 s mean only)",
        "nvmlDeviceGetPowerUsage": "no (plain power, on most cards a 1 s mean)",
        None: "no",
    }
)
ACCOUNTING: Final[Mapping[int | None, str]] = MappingProxyType({0: "off", 1: "on", None: "unknown"})


def checks(driver: Driver, index: int, world: World) -> tuple[Check, ...]:
    """The checks of GPU number `index`, in an open session."""
    return (
        Check(f"gpu-{index}", f"GPU {index}", partial(capabilities, driver, index, world.clock)),
        Check(f"gpu-{index}-persistence", f"GPU {index} persistence", partial(persistence, driver, index)),
        Check(f"gpu-{index}-mig", f"GPU {index} MIG", partial(mig, driver, index)),
        Check(f"gpu-{index}-calibration", f"GPU {index} calibration", partial(scale, driver, index, world)),
    )


class _Abilities(Struct, frozen=True):
    """What a GPU can tell, and the first thing that should work and failed."""

    plan: fields.Plan
    sampled: bool
    listed: bool
    trouble: CallError | None


def capabilities(driver: Driver, index: int, clock: Clock) -> Result:
    """What the GPU is and which of its numbers can be had."""
    try:
        handle = driver.call("nvmlDeviceGetHandleByIndex", index)
        can = _abilities(driver, handle, clock)
    except CallError as error:
        return Result("fail", f"cannot be reached: {error}", _remedy(error))
    found = f"{_identity(driver, handle)}; {_shown(driver, handle, can)}"
    if can.trouble:
        return Result("fail", f"{can.trouble}; {found}", _remedy(can.trouble))
    result = _judged(can, found)
    off = driver.number("nvmlDeviceGetAccountingMode", handle) == 0 and not gpm.watches_mig(driver, handle)
    return replace(result, remedy=hint(index)) if result.verdict == "ok" and off else result


def hint(index: int) -> str:
    """What accounting is good for."""
    return f"processes that live less than a second are seen only by chance; sudo nvidia-smi -i {index} -am 1 helps"


def _judged(can: _Abilities, found: str) -> Result:
    if can.plan.energy is None and can.plan.power is None:
        return Result("warn", f"cannot be measured; {found}", "none: such cards (and vGPUs) report no energy")
    if can.plan.energy is None:
        found = f"energy is integrated from power, which misses what is between two looks; {found}"
        return Result("warn", found, "none for this card: cards before Volta and vGPUs have no energy counter")
    if not can.sampled or not can.listed:
        found = f"energy of processes that share this GPU goes to `unattributed`; {found}"
        return Result("warn", found, "give each job a GPU of its own; without MIG or vGPU a newer driver may help")
    return Result("ok", found)


def persistence(driver: Driver, index: int) -> Result:
    """Whether the driver keeps the GPU awake. Else each new look wakes it: 1.5 s, and power while nobody works."""
    try:
        mode = _ask(driver, "nvmlDeviceGetPersistenceMode", index)
    except CallError as error:
        return _silent(error)
    if int(mode) == 1:
        return Result("ok", "on")
    found = "off: watching an unused GPU wakes it again and again, which takes seconds and energy"
    return Result("warn", found, f"sudo nvidia-smi -i {index} -pm 1")


def mig(driver: Driver, index: int) -> Result:
    """Whether the GPU is split."""
    try:
        current, pending = _ask(driver, "nvmlDeviceGetMigMode", index)
    except CallError as error:
        return Result("ok", "not supported by this GPU") if error.code == NOT_SUPPORTED else _silent(error)
    change = "" if current == pending else f" ({'on' if pending else 'off'} after the next reset)"
    if not current:
        return Result("ok", f"off{change}")
    if gpm.watches_mig(driver, driver.call("nvmlDeviceGetHandleByIndex", index)):
        return Result("ok", f"on{change}: energy is split by the activity of each instance")
    found = f"on{change}: per-process utilisation is not available, only the whole GPU's energy is measured"
    return Result("warn", found, f"where one job needs the whole GPU: sudo nvidia-smi -i {index} -mig 0")


def scale(driver: Driver, index: int, world: World) -> Result:
    """How far the GPU's watts are known."""
    try:
        handle = driver.call("nvmlDeviceGetHandleByIndex", index)
    except CallError as error:
        return _silent(error)
    # As the sensor does: its index only where it has no UUID.
    device = driver.text("nvmlDeviceGetUUID", handle) or f"gpu-{index}"
    return calibration.of_device(world, device, "gpu", driver.text("nvmlSystemGetDriverVersion"))


def _ask(driver: Driver, function: str, index: int) -> Any:  # noqa: ANN401 - as pynvml
    return driver.call(function, driver.call("nvmlDeviceGetHandleByIndex", index))


def _silent(error: CallError) -> Result:
    """That is no failure of its own: where the GPU is lost, its first check says so."""
    return Result("skip", f"this GPU or driver does not say: {error}")


def _abilities(driver: Driver, handle: Any, clock: Clock) -> _Abilities:  # noqa: ANN401 - an NVML handle
    """What works; raises CallError where the GPU does not answer at all."""
    plan = fields.make_plan(driver, handle)
    troubles = [answer for answer in fields.read(driver, handle, plan).values() if isinstance(answer, CallError)]
    sampled, listed = False, False
    try:
        sampled = _samples_processes(driver, handle, clock) or gpm.watches_mig(driver, handle)
        listed = _lists_processes(driver, handle)
    except CallError as error:
        troubles.append(error)
    return _Abilities(plan, sampled, listed, troubles[0] if troubles else None)


def _samples_processes(driver: Driver, handle: Any, clock: Clock) -> bool:  # noqa: ANN401 - an NVML handle
    try:
        ask(driver, handle, round(clock.unix_s() * 1e6))
    except CallError as error:
        if error.code not in NEVER and error.code != NOT_FOUND:  # NOT_FOUND: nobody works
            raise
        return error.code == NOT_FOUND
    return True


def _lists_processes(driver: Driver, handle: Any) -> bool:  # noqa: ANN401 - an NVML handle
    for function in COMPUTE:
        try:
            driver.call(function, handle)
        except CallError as error:
            if error.code in NEVER:
                continue
            if error.code != INSUFFICIENT_SIZE:  # the list grew meanwhile: it can be had
                raise
        return True
    return False


def _identity(driver: Driver, handle: Any) -> str:  # noqa: ANN401 - an NVML handle
    name = driver.text("nvmlDeviceGetName", handle) or "NVIDIA GPU"
    number = driver.number("nvmlDeviceGetArchitecture", handle)
    family = ARCHITECTURES.get(number, "of unknown architecture")
    return f"{name} ({family}, {driver.text('nvmlDeviceGetUUID', handle) or 'no UUID'})"


def _shown(driver: Driver, handle: Any, can: _Abilities) -> str:  # noqa: ANN401 - an NVML handle
    accounting = driver.number("nvmlDeviceGetAccountingMode", handle)
    parts = {
        "energy counter": _yes(can.plan.energy is not None),
        "instant power": POWER_WORDS[can.plan.power],
        "per-process utilisation": _yes(can.sampled),
        "process list": _yes(can.listed),
        "accounting": ACCOUNTING.get(accounting, "unknown"),
    }
    return ", ".join(f"{what} {word}" for what, word in parts.items())


def _yes(value: bool) -> str:  # noqa: FBT001 - it is what is shown
    return "yes" if value else "no"


def _remedy(error: CallError) -> str:
    return error.remedy or f"see `nvidia-smi` and {KERNEL_LOG}"
