"""Units of work by torch: products of matrices, or copies of memory, timed by CUDA events."""

from __future__ import annotations

import importlib
import os
from typing import Any

from benchmarks.gpu.seams import LoadSpec, Work

SIDE, LEAST_SIDE = 4096, 512
LONG_S = 0.001
"""A product that takes longer is made of smaller matrices: on-times have to end when they should."""
COPY_BYTES = 256 << 20
WARM_UP = 200
TIMED = 50


class TorchEngine:
    """The GPU that torch sees first.

    Raises:
        ImportError: There is no torch.
        RuntimeError: It sees no GPU, or has not the memory.
    """

    def __init__(self, spec: LoadSpec) -> None:
        torch: Any = importlib.import_module("torch")
        if not torch.cuda.is_available():
            raise RuntimeError(f"torch sees no GPU (CUDA_VISIBLE_DEVICES={os.environ.get('CUDA_VISIBLE_DEVICES')})")
        self.version = str(torch.__version__)
        self._torch = torch
        self._held = torch.zeros(max(1, round(spec.memory_gb * 1e9)), dtype=torch.uint8, device="cuda")
        torch.cuda.synchronize()
        self._tensors: dict[Work, tuple[Any, ...]] = {}
        self._units_s: dict[Work, float] = {}
        if spec.work != "none":
            self.unit_s(spec.work)

    def unit_s(self, work: Work) -> float:
        """Seconds of one unit, measured on first use, which warms the card up as well."""
        if work not in self._units_s:
            self._units_s[work] = self._copies_s() if work == "memory" else self._products_s()
        return self._units_s[work]

    def prepare(self) -> float:
        """Make ready for "compute" without measuring or warming up; the seconds of one product."""
        self._tensors["compute"] = self._matrices(SIDE)
        return self.wait(self.launch("compute", 1))

    def launch(self, work: Work, units: int) -> tuple[Any, Any]:
        """Begin `units`; returns the events around them."""
        began, ended = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        began.record()
        for _ in range(units):
            self._unit(work)
        ended.record()
        return began, ended

    def wait(self, token: tuple[Any, Any]) -> float:
        """Seconds between the events, when the second has come."""
        began, ended = token
        ended.synchronize()
        return float(began.elapsed_time(ended)) / 1e3

    def _unit(self, work: Work) -> None:
        if work == "memory":
            target, source = self._tensors[work]
            target.copy_(source)
        else:
            left, right, product = self._tensors[work]
            self._torch.mm(left, right, out=product)

    def _copies_s(self) -> float:
        torch = self._torch
        self._tensors["memory"] = tuple(torch.zeros(COPY_BYTES, dtype=torch.uint8, device="cuda") for _ in range(2))
        return self._time("memory")

    def _products_s(self) -> float:
        """The time of a product, of sides small enough that it is no longer than it may be."""
        side = SIDE
        while True:
            self._tensors["compute"] = self._matrices(side)
            unit_s = self._time("compute")
            if unit_s <= LONG_S or side <= LEAST_SIDE:
                return unit_s
            side //= 2

    def _matrices(self, side: int) -> tuple[Any, ...]:
        torch = self._torch
        half = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        factors = [torch.randn((side, side), device="cuda", dtype=half) for _ in range(2)]
        return *factors, torch.empty((side, side), device="cuda", dtype=half)

    def _time(self, work: Work) -> float:
        self.wait(self.launch(work, WARM_UP))
        return self.wait(self.launch(work, TIMED)) / TIMED
