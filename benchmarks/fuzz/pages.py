"""Sends wrong requests to the pages of real agents: one for everybody, and one behind passwords."""

from __future__ import annotations

import random
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fuzz.agent import Agent, agent
from benchmarks.fuzz.outcome import Outcome
from daemon.http_fuzz import answer, request

LIMIT_S = 30.0
CHECK_EACH = 1000
MOST_LOG_LINES = 60
"""Of one agent over its whole life: what hundreds of thousands may write is bounded."""
GOOD = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n"
PASSWORD = b"Authorization: Basic dTpw\r\n"
"""User u, password p: the generator sends it now and then."""
WEB_CONFIG = "basic_auth_users:\n  u: {}\n"
COST = 4


@dataclass(frozen=True, slots=True)
class Target:
    """An agent and what opens its door."""

    running: Agent
    key: bytes

    def send(self, data: bytes) -> bytes:
        """All that comes back.

        Raises:
            TimeoutError: It never ends.
        """
        return answer(int(self.running.address().rpartition(":")[2]), data, LIMIT_S)

    def trouble(self) -> str:
        """What is wrong with it; empty while it serves."""
        if not self.running.alive():
            return f"it has ended: {self.running.log()[-2000:]}"
        if "Traceback" in self.running.log():
            return f"a traceback: {self.running.log()[:4000]}"
        if not self.send(GOOD % self.key).startswith(b"HTTP/1.1 200 "):
            return "it does not serve its page any more"
        return ""


def fuzz(inputs: int, seed: int) -> Outcome:
    """What two agents made of `inputs` requests, sent in turn."""
    dice, outcome = random.Random(seed), Outcome()
    with ExitStack() as stack:
        plain, locked = _folder(stack), _folder(stack)
        targets = (
            Target(stack.enter_context(agent(plain)), b""),
            Target(stack.enter_context(agent(locked, *_locked(locked))), PASSWORD),
        )
        outcome.notes += [f"before: {target.running.cost()}" for target in targets]
        for number in range(inputs):
            throw(targets[number % 2], request(dice), outcome)
            if number % CHECK_EACH == 0:
                _check(targets, outcome)
            if outcome.hopeless:
                break
        _check(targets, outcome)
        outcome.notes += [f"after:  {target.running.cost()}" for target in targets]
        outcome.notes.append(f"log lines: {[len(target.running.log().splitlines()) for target in targets]}")
        outcome.findings += [
            "the log is long" for target in targets if len(target.running.log().splitlines()) > MOST_LOG_LINES
        ]
    return outcome


def throw(target: Target, data: bytes, outcome: Outcome) -> None:
    """Send one input and note what came back."""
    try:
        came = target.send(data)
    except TimeoutError:
        outcome.answers["hang"] += 1
        outcome.findings.append(f"no answer and no end within {LIMIT_S:.0f} s: {data!r}")
        return
    status = came[9:12].decode(errors="replace") or "none"
    outcome.answers[status] += 1
    if status == "500" or (came and not came.startswith(b"HTTP/1.1 ")):
        outcome.findings.append(f"{came[:200]!r} to {data!r}")


def _check(targets: tuple[Target, ...], outcome: Outcome) -> None:
    outcome.findings += [trouble for target in targets if (trouble := target.trouble())]


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory()))


def _locked(folder: Path) -> tuple[str, str]:
    import bcrypt  # noqa: PLC0415 - the other fuzzers need none

    path = folder / "web.yml"
    path.write_text(WEB_CONFIG.format(bcrypt.hashpw(b"p", bcrypt.gensalt(COST)).decode()))
    return "--web-config", str(path)
