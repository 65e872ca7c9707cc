"""Wrong settings of all kinds: TOML bytes, variables, flags and the web configuration, and SIGHUPs that read them.

A setting is taken, or refused in one line with exit code 2; what is taken is the same when it is written down and read
again. No input takes more than seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aipower.arguments import Parser
from aipower.cli import main as aipower
from aipower.daemon.check import find_trouble
from aipower.daemon.cli import add_config_arguments, flags
from aipower.errors import AipowerError, UsageError
from aipower.settings.config import AgentConfig, describe, find_mistakes, load_config
from aipower.web.access import load_access
from benchmarks.campaign.pages import TICKS, parse, value
from benchmarks.campaign.scraper import fetch
from benchmarks.fuzz import texts
from benchmarks.fuzz.agent import Agent, agent
from benchmarks.fuzz.outcome import Outcome
from web.certificates import make_authority, make_pair

HANG_S = 60.0
SLOW_S = 2.0
RELOADS_EACH = 250
"""One SIGHUP with a wrong file for so many inputs."""
RELOAD_PAUSE_S = 0.05
FILES = {"toml": "aipower.toml", "whole_command": "checked.toml", "web": "web.yml"}
Input = Callable[["Field", random.Random], str]


@dataclass(slots=True)
class Field:
    """Where the files of one run are, and the parser of the flags."""

    folder: Path
    parser: argparse.ArgumentParser = field(default_factory=lambda: Parser(prog="aipower config", allow_abbrev=False))

    def __post_init__(self) -> None:
        """Certificates for the web configuration to name."""
        add_config_arguments(self.parser)
        authority = make_authority(self.folder)
        make_pair(self.folder, authority, "server", "DNS:localhost")

    def write(self, name: str, data: bytes) -> Path:
        """A file with `data`."""
        path = self.folder / name
        path.write_bytes(data)
        return path


def fuzz(inputs: int, seed: int) -> Outcome:
    """What came of `inputs` settings: two in eight are TOML, as many web configurations, the rest mixed layers."""
    dice, outcome = random.Random(seed), Outcome()
    kinds: tuple[Input, ...] = (toml, toml, web, web, environment, command_line, command_line, whole_command)
    slowest_s, slowest = 0.0, ""
    with tempfile.TemporaryDirectory() as name:
        ground = Field(Path(name))
        for number in range(inputs):
            kind = kinds[number % len(kinds)]
            began_s = time.monotonic()
            throw(kind, ground, dice, outcome)
            spent_s = time.monotonic() - began_s
            if spent_s > slowest_s:
                slowest_s, slowest = spent_s, kind.__name__
            if spent_s > SLOW_S:
                outcome.findings.append(f"{kind.__name__} {number} took {spent_s:.1f} s")
            if outcome.hopeless:
                return outcome
    outcome.notes.append(f"slowest input: {slowest_s:.2f} s ({slowest})")
    reload(max(1, inputs // RELOADS_EACH), dice, outcome)
    return outcome


def throw(kind: Input, ground: Field, dice: random.Random, outcome: Outcome) -> None:
    """One input; what it raises is a finding."""
    # An input that is worked on for ever ends all of it, with a traceback of where.
    faulthandler.dump_traceback_later(HANG_S, exit=True, file=sys.__stderr__ or 2)
    try:
        outcome.answers[f"{kind.__name__} {kind(ground, dice)}"] += 1
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        file = ground.folder / FILES.get(kind.__name__, "none")
        text = file.read_bytes()[:2000] if file.exists() else b""
        outcome.answers[f"{kind.__name__} raised"] += 1
        outcome.findings.append(f"{kind.__name__}: {error!r} {text!r}")
    finally:
        faulthandler.cancel_dump_traceback_later()


def toml(ground: Field, dice: random.Random) -> str:
    """The bytes of a configuration file."""
    path = ground.write("aipower.toml", texts.toml(dice))
    return _layers(path, {}, {})


def environment(ground: Field, dice: random.Random) -> str:
    """Variables, over a file that is right."""
    path = ground.write("right.toml", describe(AgentConfig()).encode())
    return _layers(path, texts.environment(dice), {})


def command_line(ground: Field, dice: random.Random) -> str:
    """Flags, over variables."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            given = ground.parser.parse_args(texts.words(dice))
    except UsageError as error:
        _must_be_a_line(str(error))
        return "refused"
    except SystemExit as end:
        _must(end.code in {0, None}, "only --help ends it, and well")
        return "help"
    return _layers(None, texts.environment(dice), flags(given))


def whole_command(ground: Field, dice: random.Random) -> str:
    """`aipower config check` as a whole."""
    path = ground.write("checked.toml", texts.toml(dice))
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        code = aipower(["config", "check", "--config", str(path)])
    _must(code in {0, 2}, f"exit code {code}")
    _must((code == 0) == (not errors.getvalue()), "complaints and the exit code agree")
    _must("Traceback" not in errors.getvalue(), errors.getvalue())
    return "right" if code == 0 else "wrong"


def web(ground: Field, dice: random.Random) -> str:
    """A web configuration, with the certificates that it names."""
    path = ground.write("web.yml", texts.web(dice))
    try:
        access = load_access(path)
    except AipowerError as error:
        _must_be_a_line(str(error))
        _must(error.exit_code == 2, "misuse is 2")
        return "refused"
    _must(path in access.files, "changes of the file are seen")
    return "taken"


def _layers(path: Path | None, environ: dict[str, str], given: object) -> str:
    """What the layers make of it; they agree on what is wrong, and what is right can be written and read again."""
    words = given if isinstance(given, dict) else {}
    mistakes = find_mistakes(path, environ, words)
    for mistake in mistakes:
        _must_be_a_line(mistake)
    try:
        config = load_config(path, environ, words)
    except UsageError as error:
        _must(bool(mistakes) and str(error) == mistakes[0], f"refused otherwise than checked: {error}")
        return "refused"
    _must(not mistakes, f"taken with mistakes: {mistakes}")
    again = (path.parent if path else Path(tempfile.gettempdir())) / f"again-{os.getpid()}.toml"
    again.write_text(describe(config), encoding="utf-8")
    try:
        _must(load_config(again, {}, {}) == config, f"not the same when read again: {config}")
    finally:
        again.unlink()
    for trouble in find_trouble(config, {}):
        _must_be_a_line(trouble)
    return "taken"


def reload(times: int, dice: random.Random, outcome: Outcome) -> None:
    """SIGHUPs to a real agent, each after its files were spoilt; at the end it serves, and takes a right file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "aipower.toml"
        config.write_text("")
        with agent(folder, "--config", str(config)) as running:
            for _ in range(times):
                config.write_bytes(texts.toml(dice))
                running.process.send_signal(signal.SIGHUP)
                time.sleep(RELOAD_PAUSE_S)
            config.write_text("interval_s = 0.1\n")
            running.process.send_signal(signal.SIGHUP)
            # Of so many reloads the log tells only the first: the pace shows whether this one is in force.
            quick = _until_quick(running)
            outcome.notes.append(f"{times} SIGHUPs with such files: {running.cost()}")
            if not quick or "Traceback" in running.log():
                outcome.findings.append(f"after SIGHUPs: {running.log()[-3000:]}")


def _until_quick(running: Agent) -> bool:
    """True once it ticks more than twice a second; False if that takes too long, or it has ended."""
    until_s = time.monotonic() + HANG_S
    while time.monotonic() < until_s and running.alive():
        before = _ticks(running)
        time.sleep(2.0)
        if _ticks(running) - before > 4:
            return True
    return False


def _ticks(running: Agent) -> float:
    _, body = fetch(int(running.address().rpartition(":")[2]))
    return value(parse(body.decode()), TICKS)


def _must_be_a_line(text: str) -> None:
    _must(len(text.splitlines()) == 1 and text.isprintable(), f"not one printable line: {text!r}")


def _must(condition: bool, why: str) -> None:  # noqa: FBT001 - as `assert`, which -O would take away
    if not condition:
        raise ValueError(why)
