"""The check of the running agent."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from aipower.doctor.finding import Result
from aipower.doctor.world import Answer, World
from aipower.settings.address import Address
from aipower.settings.places import client_sockets

LOOPBACK: Final[Mapping[str, str]] = MappingProxyType({"0.0.0.0": "127.0.0.1", "::": "::1"})  # noqa: S104 - compared with
"""Where to reach an agent that listens on all addresses."""


def reachable(world: World) -> Result:
    """Whether the agent answers at its configured address; none running is no failure."""
    address = replace(world.listen, host=LOOPBACK.get(world.listen.host, world.listen.host))
    if address.port == 0:
        return Result(
            "skip",
            "the agent is configured to take any free port",
            "give it one: aipower agent --listen 127.0.0.1:9877",
        )
    try:
        answer = world.get(address, "/healthz")
    except ConnectionRefusedError:
        return Result("skip", f"nobody listens on {address}", "start it with `aipower agent`")
    except TimeoutError:
        return Result("fail", f"{address} does not answer", _who(address))
    except OSError as error:
        why = error.strerror or str(error)
        return Result("fail", f"{address} cannot be reached: {why}", "check `listen` in the configuration (--listen)")
    return _judged(address, answer)


def runs(world: World) -> Result:
    """Whether `aipower-run` has an agent to ask; without one it measures by itself."""
    places = client_sockets(world.environ, os.getuid())
    for path in places:
        if world.connects(path):
            return Result("ok", f"aipower-run lets the agent at {path} measure")
    looked = " or ".join(map(str, places)) or "any socket"
    return Result("ok", f"aipower-run measures by itself: no agent listens on {looked}")


def _judged(address: Address, answer: Answer) -> Result:
    health = _health(answer.body)
    status = health.get("status")
    if answer.status == HTTPStatus.OK and status == "ok":
        age_s = health.get("sample_age_s")
        age = f", newest sample {age_s:.1f} s old" if isinstance(age_s, int | float) else ""
        return Result("ok", f"answers on {address}{' over TLS' if answer.tls else ''}{age}")
    if answer.tls and not answer.status:
        return Result("ok", f"a service on {address} demands TLS and a certificate, so its health was not read")
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return Result("ok", f"answers on {address} and asks for a password, so its health was not read")
    if status == "starting":
        return Result("ok", f"is starting on {address}: it is still looking for sensors")
    if status == "stale":
        reason = health.get("reason") or "no reason given"
        return Result(
            "fail", f"the agent on {address} does not measure: {reason}", "see its log and restart `aipower agent`"
        )
    shown = f"HTTP {answer.status}" if answer.status else "no HTTP"
    return Result("fail", f"another program answers on {address} ({shown})", _who(address))


def _health(body: str) -> Mapping[str, object]:
    try:
        health = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return health if isinstance(health, dict) else {}


def _who(address: Address) -> str:
    return f"see who has the port: sudo ss -ltnp 'sport = :{address.port}'"
