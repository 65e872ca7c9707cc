"""Waiting for a GPU, so that what it still has to do ends in the phase that asked for it.

A framework is never imported here: one that the program has not imported has given the GPU nothing to do. Nor is it
initialised, and what it raises is left for its own next call to raise.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any, Literal

Sync = Literal["torch", "jax", "cupy"] | Callable[[], object] | None
"""What to wait for at both ends of a phase: a framework, or what a function of the program waits for."""


def waiter(sync: Sync) -> Callable[[], object] | None:
    """The function that waits for `sync`.

    Raises:
        TypeError: It is neither a known framework nor a function.
    """
    if sync is None or callable(sync):
        return sync
    found = _WAITERS.get(sync) if isinstance(sync, str) else None
    if found is None:
        raise TypeError(f"sync must be one of {', '.join(_WAITERS)}, a function or None, not {sync!r}")
    return found


def wait(waiter_: Callable[[], object]) -> None:
    """Call it. What goes wrong must not end a training that would go on without us."""
    with contextlib.suppress(Exception):  # a sticky error of the GPU comes again at the program's own next call
        waiter_()


def _wait_for_torch() -> None:
    """All devices of this process that torch works on.

    Not during the capture of a CUDA graph, which would fail of it.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized() or torch.cuda.is_current_stream_capturing():
        return
    in_use = getattr(torch._C, "_cuda_hasPrimaryContext", None)  # noqa: SLF001 - nothing public tells it
    devices = [index for index in range(torch.cuda.device_count()) if in_use(index)] if in_use else [None]
    for device in devices:  # a device without a context has nothing to do, and would get one by being asked
        torch.cuda.synchronize(device)


def _wait_for_jax() -> None:
    """All arrays that are being computed, and all side effects."""
    jax: Any = sys.modules.get("jax")
    bridge: Any = sys.modules.get("jax._src.xla_bridge")
    if jax is None or bridge is None or not bridge.backends_are_initialized():
        return
    jax.effects_barrier()
    jax.block_until_ready(jax.live_arrays())


def _wait_for_cupy() -> None:
    """The current device."""
    cupy: Any = sys.modules.get("cupy")
    if cupy is not None:
        cupy.cuda.runtime.deviceSynchronize()


_WAITERS: dict[str, Callable[[], object]] = {"torch": _wait_for_torch, "jax": _wait_for_jax, "cupy": _wait_for_cupy}
