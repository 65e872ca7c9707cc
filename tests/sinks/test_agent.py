"""`aipower agent` with sinks of its own and of others, from the settings to the last push."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from daemon.agents import LIMIT_S, Agent, agent, total
from sinks.machines import DEADLINE_S, Listener, listening, series_of
from sinks.plugins import OURS, ROOT, install, install_the_example, tables

ENERGY = "aipower_device_energy_joules_total"

BAD = '''
"""Sinks that do what a sink should not."""

import threading

from aipower.sinks import SinkError


class Sink:
    def __init__(self, push, close=lambda: None):
        self.push, self.close = push, close


def hang(*_):
    threading.Event().wait()


def bug(_snapshot):
    raise KeyError("oops")


def refuse(_snapshot):
    raise SinkError("refused", "nobody\\nlistens")


def hangs(_options, _name):
    return Sink(hang)


def lingers(_options, _name):
    # A pool's threads are waited for at the end of the interpreter.
    threading.Thread(target=hang).start()
    return Sink(hang, hang)


def buggy(_options, _name):
    return Sink(bug)


def refuses(_options, _name):
    return Sink(refuse)
'''


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example of the documentation and sinks that are bad."""
    folder = tmp_path_factory.mktemp("packages")
    install_the_example(folder)
    kinds = ("hangs", "lingers", "buggy", "refuses")
    points = {"aipower.sinks": {kind: f"bad_sinks:{kind}" for kind in kinds} | {"broken": "no_such_module:sink"}}
    install(folder, "bad-sinks", {"bad_sinks": BAD}, points)
    return folder


def environment(packages: Path) -> Mapping[str, str]:
    path = os.pathsep.join(filter(None, (str(packages), os.environ.get("PYTHONPATH", ""))))
    return {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def written(folder: Path, text: str) -> Path:
    path = folder / "aipower.toml"
    path.write_text(text)
    return path


def config(packages: Path, path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aipower", "config", *words, "--config", str(path)]
    env = {**os.environ, **environment(packages)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def datagrams() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(DEADLINE_S)
        yield receiver


def test_the_package_of_the_documentation_sends_and_serves(
    packages: Path, tmp_path: Path, datagrams: socket.socket
) -> None:
    port = datagrams.getsockname()[1]
    text = f'[sinks.house]\nkind = "statsd"\nport = {port}\ninterval_s = 1\n'
    flags = ("--sensors", "fake:2", "--config", str(written(tmp_path, text)))
    with agent(tmp_path, *flags, env=environment(packages)) as running:
        lines = datagrams.recv(65536).decode().splitlines()
        assert {re.sub(r":[0-9.]+\|g$", "", line) for line in lines} >= {"power.gpu.0", "power.gpu.1"}
        running.until('aipower_sink_pushes_total{sink="house"} 2')
        assert float(running.page("/sum")) > 0
        series = running.series()
    assert total(series, "aipower_sink_up", sink="house") == 1
    assert total(series, "aipower_sink_faults_total", sink="house") == 0
    assert running.process.returncode == 0


def test_all_own_kinds_get_the_same_and_a_last_push(packages: Path, tmp_path: Path) -> None:
    """Each is pushed to at the start and, an hour before the next push is due, at the end."""
    with listening(Listener()) as gateway:
        text = "".join(f"[sinks.{kind}]\ninterval_s = 3600\n{options}\n" for kind, options in {
            "textfile": f'path = "{tmp_path}/a.prom"\nremove = false',
            "jsonl": f'path = "{tmp_path}/a.jsonl"',
            "csv": f'path = "{tmp_path}/a.csv"',
            "pushgateway": f'url = "{gateway.url}"\ninstance = "node1"',
        }.items())  # fmt: skip
        flags = ("--sensors", "fake:2", "--config", str(written(tmp_path, text)))
        with agent(tmp_path, *flags, env=environment(packages)) as running:
            for kind in OURS:
                running.until(f'aipower_sink_pushes_total{{sink="{kind}"}} 1')
    first, last = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert last["at_unix_s"] > first["at_unix_s"]
    assert running.process.returncode == 0
    pages = ((tmp_path / "a.prom").read_text(), gateway.requests[-1].body.decode())
    energies = [
        *(sum(v for (name, _), v in series_of(page).items() if name == ENERGY) for page in pages),
        sum(row.get(ENERGY, 0.0) for row in last["devices"]),
    ]
    assert energies[0] > 0
    assert energies == pytest.approx([energies[0]] * 3)
    head, *rows = (tmp_path / "a.csv").read_text().splitlines()
    assert head.startswith("at_unix_s,metric,")
    newest = [row for row in rows if row.startswith(f"{last['at_unix_s']},{ENERGY},")]
    assert sum(float(row.rpartition(",")[2]) for row in newest) == pytest.approx(energies[0])


def test_bad_sinks_cost_neither_samples_nor_the_end(packages: Path, tmp_path: Path) -> None:
    text = "".join(f"[sinks.{kind}]\ninterval_s = 1\n" for kind in ("hangs", "lingers", "buggy", "refuses"))
    flags = ("--sensors", "fake:1", "--config", str(written(tmp_path, text)))
    with agent(tmp_path, *flags, env=environment(packages)) as running:
        running.until('aipower_sink_faults_total{reason="internal",sink="buggy"} 1')
        running.until('aipower_sink_faults_total{reason="refused",sink="refuses"} 1')
        running.until('aipower_sink_skipped_total{sink="hangs"} 3')
        series = running.series()
        before_s = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(LIMIT_S) == 0
        # Far from the 60 s and more that anything here would wait for by itself.
        assert time.monotonic() - before_s < 30
    assert total(series, "aipower_sink_up") == 2
    assert total(series, "aipower_agent_ticks_total") >= 3
    assert total(series, "aipower_agent_faults_total", reason="internal") == 0
    log = running.log.read_text()
    assert log.count("sink refuses does not deliver: refused: nobody listens") == 1
    assert log.count("sink buggy does not deliver: internal: a bug: KeyError('oops')") == 1
    assert "left behind, still pushing: sink hangs, lingers" in log
    assert "Traceback" not in log


MISTAKES = """
[sinks.a]
kind = "textfil"

[sinks.textfile]
pfad = "/x"

[sinks.broken]

[sinks.pushgateway]
url = "http://push"
timeout_s = 0
"""


def test_mistakes_are_told_by_the_check_and_at_the_start(packages: Path, tmp_path: Path) -> None:
    path = written(tmp_path, MISTAKES)
    done = config(packages, path, "check")
    assert done.returncode == 2
    lines = [line.removeprefix(f"aipower: {path}:") for line in done.stderr.splitlines()]
    assert lines[0] == "3: sink a: unknown kind 'textfil'; did you mean \"textfile\"?"
    assert lines[1] == "6: sink textfile: pfad: unknown key; the keys are path, remove"
    assert lines[2].startswith("8: sink broken: kind broken does not load: ModuleNotFoundError(")
    assert lines[3] == "12: sink pushgateway: timeout_s: expected a number from 0.1 to 300"
    assert len(lines) == 4
    command = [sys.executable, "-m", "aipower", "agent", "--config", str(path), "--sensors", "fake"]
    env = {**os.environ, **environment(packages)}
    start = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert (start.returncode, start.stderr.splitlines()) == (2, [f"aipower: {path}:{lines[0]}"])


def test_a_good_file_is_ok_and_writes_nothing(packages: Path, tmp_path: Path) -> None:
    path = written(tmp_path, f'[sinks.jsonl]\npath = "{tmp_path}/a.jsonl"\n')
    done = config(packages, path, "check")
    assert (done.returncode, done.stdout) == (0, f"{path}: ok\n")
    assert not (tmp_path / "a.jsonl").exists()


def test_the_settings_are_shown_without_secrets(packages: Path, tmp_path: Path) -> None:
    text = """[sinks.push]
kind = "pushgateway"
url = "http://push"
password = "hush"
password_file = "/etc/x"
grouping = { rack = "a", "b c" = "d" }
headers = { Authorization = "hush", X = ["hush"] }
keep = 3
since = 2026-01-01
gzip = true
"""
    shown = config(packages, written(tmp_path, text)).stdout
    assert "hush" not in shown
    table = tomllib.loads(shown)["sinks"]["push"]
    assert table == {
        **tomllib.loads(text)["sinks"]["push"],
        "interval_s": 15.0,
        "password": "***",
        "headers": {"Authorization": "***", "X": ["***"]},
    }


def test_changed_sinks_are_told_to_wait_for_the_next_start(packages: Path, tmp_path: Path) -> None:
    path = written(tmp_path, f'[sinks.jsonl]\npath = "{tmp_path}/a.jsonl"\n')
    with agent(tmp_path, "--sensors", "fake:1", "--config", str(path), env=environment(packages)) as running:
        running.until_healthy()
        path.write_text(f'# only a line\n[sinks.jsonl]\npath = "{tmp_path}/a.jsonl"\n')
        reload(running, "reloaded: no setting has changed")
        assert "sinks: takes effect" not in running.log.read_text()
        path.write_text("")
        reload(running, "sinks: takes effect at the next start")


def reload(running: Agent, told: str) -> None:
    running.process.send_signal(signal.SIGHUP)
    running.until_logged(told)


def test_the_settings_of_the_documentation_are_right(packages: Path, tmp_path: Path) -> None:
    text = "\n".join(tables())
    for name in ("/var/lib/prometheus/node-exporter", "/var/log/aipower", "/etc/aipower"):
        (tmp_path / name.lstrip("/")).mkdir(parents=True)
        text = text.replace(name, f"{tmp_path}{name}")
    (tmp_path / "etc/aipower/push.password").write_text("hush\n")
    (tmp_path / "etc/aipower/push-ca.pem").write_text(certificate())
    done = config(packages, written(tmp_path, text), "check")
    assert (done.returncode, done.stderr) == (0, "")


def certificate() -> str:
    """Any."""
    import certifi  # noqa: PLC0415 - it comes with httpx

    whole = Path(certifi.where()).read_text(encoding="utf-8")
    return whole[whole.index("-----BEGIN") : whole.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"


def test_the_documentation_shows_each_kind() -> None:
    shown = {kind for text in tables() for kind in tomllib.loads(text)["sinks"]}
    assert shown == {*OURS, "statsd"}


def test_each_kind_is_an_entry_point_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["aipower.sinks"].items() >= OURS.items()
