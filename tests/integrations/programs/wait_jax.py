"""Phases that wait for JAX: before it is initialised, and after."""

# mypy: ignore-errors
# The libraries are not there where types are checked.

from __future__ import annotations

import json
import time

import jax
from jax._src import xla_bridge

import aipower

with aipower.phase("early", sync="jax"):
    pass
early = xla_bridge.backends_are_initialized()
slow = jax.jit(lambda x: jax.lax.fori_loop(0, 200, lambda _, y: y @ x / 800.0, x))
array = jax.numpy.ones((800, 800))
slow(array).block_until_ready()
began_s = time.monotonic()
with aipower.phase("late", sync="jax"):
    result = slow(array)
    returned_s = time.monotonic()
ended_s = time.monotonic()
ready = result.is_ready()
print()
print(json.dumps({"early": early, "ready": ready, "call_s": returned_s - began_s, "phase_s": ended_s - began_s}))
