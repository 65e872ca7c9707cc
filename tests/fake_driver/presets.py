"""Cards whose sensors behave as published: periods, windows and meanings from the sensor models of the field.

Source of the periods and windows: the measurements of Yang, Adamek and Armour (SC'24) for drivers of 2023.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fake_driver.script import EnergyCounter, Gpu, Limits, PowerSensor


def _uuid(family: int, number: int) -> str:
    return f"GPU-{family:08x}-0000-4000-8000-{number:012x}"


def _place(gpu: Gpu, family: int, number: int, changes: dict[str, Any]) -> Gpu:
    bus_id = f"00000000:{number + 1:02X}:00.0"
    placed = replace(gpu, uuid=_uuid(family, number), minor=number, pci_bus_id=bus_id)
    return replace(placed, **changes)


def h100(number: int = 0, **changes: Any) -> Gpu:
    """A Hopper: 1 s average, 25 ms of every 100 ms as instant power."""
    gpu = Gpu("", "NVIDIA H100 80GB HBM3", architecture=9, pci_device_id=0x233010DE, mig="off")
    return _place(gpu, 0x100, number, {"memory_share": 0.2, **changes})


def a100(number: int = 0, **changes: Any) -> Gpu:
    """A GA100: 25 ms of every 100 ms as instant power, no average."""
    gpu = Gpu(
        "",
        "NVIDIA A100-SXM4-80GB",
        architecture=7,
        pci_device_id=0x20B210DE,
        limits=Limits(100, 400, 400, 400),
        mig="off",
        idle_w=55.0,
        average=None,
        draw="instant",
    )
    return _place(gpu, 0xA100, number, changes)


def v100(number: int = 0, **changes: Any) -> Gpu:
    """A Volta: 10 ms of every 20 ms as instant power, no average, a counter that moves every 20 ms."""
    gpu = Gpu(
        "",
        "Tesla V100-SXM2-32GB",
        architecture=5,
        pci_device_id=0x1DB510DE,
        limits=Limits(150, 300, 300, 300),
        memory_bytes=32 << 30,
        idle_w=40.0,
        energy=EnergyCounter(period_ms=20),
        instant=PowerSensor(20, 10),
        average=None,
        draw="instant",
    )
    return _place(gpu, 0x7100, number, changes)


def rtx4090(number: int = 0, **changes: Any) -> Gpu:
    """An Ada: 1 s average, 100 ms of every 100 ms as instant power. It has no gain and offset of its own."""
    gpu = Gpu(
        "",
        "NVIDIA GeForce RTX 4090",
        architecture=8,
        pci_device_id=0x268410DE,
        limits=Limits(150, 600, 450, 450),
        persistence=False,
        memory_bytes=24 << 30,
        idle_w=25.0,
        instant=PowerSensor(100, 100),
    )
    return _place(gpu, 0x4090, number, changes)
