"""The command: exit codes, outputs, hung drivers."""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aipower.doctor.cli import add_arguments, main, run_doctor
from aipower.doctor.world import World
from aipower.errors import UsageError
from doctor.children import CHILD, LIMIT_S, driver_of, report, variables
from doctor.children import run_doctor as run_child
from doctor.worlds import FakeNvml, make_world, nvml_is, plant_system, raises
from fake_driver.presets import h100
from fake_driver.script import FaultRule, Machine

CHECKS = {
    "python",
    "kernel",
    "clock",
    "pynvml",
    "nvidia",
    "nvml",
    "rapl",
    "calibration",
    "pid-namespace",
    "processes",
    "subreaper",
    "agent",
    "runs",
}


class Screen(io.StringIO):
    """A stream that says it is a terminal of some encoding."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


def must_stay(status: int) -> None:
    raise AssertionError(f"a check hung; the process would have ended with {status}")


def text_of(world: World, *words: str, stream: io.StringIO | None = None, **environ: str) -> tuple[int, str]:
    stdout = stream or io.StringIO()
    code = main(arguments(*words), world, stdout=stdout, environ=environ, leave=must_stay)
    return code, stdout.getvalue()


def test_cloud_machine_without_gpu_and_rapl_passes_with_two_warnings(tmp_path: Path) -> None:
    code, text = text_of(make_world(tmp_path), "--json")
    report = json.loads(text)
    assert (code, report["schema"], report["ok"]) == (0, "aipower.doctor/1", True)
    assert {each["id"] for each in report["checks"]} == CHECKS
    assert {each["id"] for each in report["checks"] if each["verdict"] == "warn"} == {"nvidia", "rapl"}
    assert all(set(each) == {"id", "title", "verdict", "found", "remedy"} for each in report["checks"])
    assert all((each["remedy"] == "") for each in report["checks"] if each["verdict"] == "ok")


def test_failure_is_exit_code_1_in_both_outputs(tmp_path: Path) -> None:
    world = make_world(tmp_path, load_nvml=nvml_is(FakeNvml({"nvmlInit": 18})))
    code, text = text_of(world)
    assert code == 1
    assert "fail  NVIDIA driver" in text
    code, text = text_of(world, "--json")
    assert (code, json.loads(text)["ok"]) == (1, False)


def test_pipe_has_no_colour_and_a_terminal_has(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    assert "\x1b" not in text_of(world)[1]
    assert "\x1b[33m! warn\x1b[0m" in text_of(world, stream=Screen(), TERM="xterm")[1]


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"NO_COLOR": "no"}, {"TERM": "dumb"}])
def test_terminal_that_wants_no_colour(tmp_path: Path, environ: dict[str, str]) -> None:
    assert "\x1b" not in text_of(make_world(tmp_path), stream=Screen(), **environ)[1]


def test_json_has_no_colour_on_a_terminal(tmp_path: Path) -> None:
    assert "\x1b" not in text_of(make_world(tmp_path), "--json", stream=Screen())[1]


def test_full_disk_is_one_line(tmp_path: Path) -> None:
    plant_system(tmp_path)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, str(CHILD), "-"],
            env=variables({}), stdout=full, stderr=subprocess.PIPE, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1, "aipower doctor: the report cannot be written: No space left on device\n"
    )  # fmt: skip


def test_hung_check_leaves_at_once_after_the_report(tmp_path: Path) -> None:
    release = threading.Event()
    left: list[tuple[int, bool]] = []
    stdout = io.StringIO()

    def hang(*_arguments: object) -> Any:
        release.wait(100)

    world = make_world(tmp_path, get=hang)
    try:
        code = main(
            arguments("--json"), world, stdout=stdout, environ={},
            leave=lambda status: left.append((status, stdout.getvalue().endswith("}\n"))),
        )  # fmt: skip
    finally:
        release.set()
    assert (code, left) == (1, [(1, True)])


def test_interrupt_is_130_without_a_report(tmp_path: Path) -> None:
    left: list[int] = []

    class Interrupted:
        def monotonic_s(self) -> float:
            raise KeyboardInterrupt

        def unix_s(self) -> float:
            return 0.0

        def sleep(self, seconds: float) -> None:
            raise AssertionError(seconds)

    world = make_world(tmp_path, clock=Interrupted())
    stdout = io.StringIO()
    code = main(arguments(), world, stdout=stdout, environ={}, leave=left.append)
    assert (code, left, stdout.getvalue()) == (130, [130], "")


SEAMS = ("clocks", "load_nvml", "installed", "subreaper_refusal", "get")


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(st.sampled_from(SEAMS), min_size=1),
    st.sampled_from([ValueError, OSError, RuntimeError, SystemExit, KeyboardInterrupt, MemoryError, BaseException]),
    st.text(max_size=50),
)
def test_whatever_breaks_the_report_is_whole(
    tmp_path: Path, broken: set[str], kind: type[BaseException], words: str
) -> None:
    world = make_world(tmp_path, **dict.fromkeys(broken, raises(kind(words))))
    code, text = text_of(world, "--json")
    verdicts = {each["id"]: each["verdict"] for each in json.loads(text)["checks"]}
    assert CHECKS - {"nvml"} <= set(verdicts)
    assert "fail" in verdicts.values()
    assert code == 1


@pytest.mark.parametrize("words", [("--listen", "x"), ("--config", "/no/such/file.toml")])
def test_wrong_configuration_is_misuse(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError):
        main(arguments(*words), environ={})
    assert run_doctor(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("aipower doctor: ")


def test_configured_address_is_asked(tmp_path: Path) -> None:
    plant_system(tmp_path)
    config = tmp_path / "aipower.toml"
    config.write_text('listen = "127.0.0.1:0"\n')
    done = subprocess.run(
        [sys.executable, str(CHILD), "-", "--json", "--config", str(config)],
        env=variables({}), capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    checks = {each["id"]: each for each in json.loads(done.stdout)["checks"]}
    assert done.stderr == ""
    assert checks["agent"]["found"] == "the agent is configured to take any free port"


@pytest.mark.parametrize("function", ["nvmlDeviceGetFieldValues", "nvmlDeviceGetPersistenceMode"])
def test_hung_driver_call_ends_in_time(tmp_path: Path, function: str) -> None:
    """The call sleeps for longer than the test may last."""
    machine = Machine((h100(faults=(FaultRule(function, delay_s=1000.0),)), h100(1)))
    begun_s = time.monotonic()
    code, checks = report(tmp_path, machine)
    assert 3.0 <= time.monotonic() - begun_s < LIMIT_S
    assert code == 1
    hung = [name for name, each in checks.items() if each["found"] == "did not answer within 3 s"]
    assert hung == ["gpu-0" if function.endswith("Values") else "gpu-0-persistence"]
    assert checks["gpu-1"]["verdict"] == "ok"
    assert checks["agent"]["verdict"] == "skip"


def test_driver_that_never_starts_ends_in_time(tmp_path: Path) -> None:
    machine = Machine((h100(),), faults=(FaultRule("nvmlInit*", delay_s=1000.0),))
    code, checks = report(tmp_path, machine)
    assert (code, checks["nvidia"]["verdict"]) == (1, "fail")
    assert checks["nvidia"]["found"].startswith("did not answer within")
    assert checks["subreaper"]["verdict"] == "ok"


def test_reader_that_leaves_early_sees_no_traceback(tmp_path: Path) -> None:
    plant_system(tmp_path)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, str(CHILD), str(tmp_path)],
            env=variables({}), stdout=writing, stderr=subprocess.PIPE, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert done.stderr == ""
    assert done.returncode in {0, 1}


def read_to_end(terminal: int) -> bytes:
    """All that is shown until the last program on the terminal has ended."""
    seen = b""
    try:
        while part := os.read(terminal, 65536):
            seen += part
    except OSError as error:
        assert error.errno == errno.EIO  # noqa: PT017 - how Linux says that the other side is closed
    return seen


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_real_terminal(tmp_path: Path, environ: dict[str, str], *, coloured: bool) -> None:
    plant_system(tmp_path)
    master, slave = os.openpty()
    process = subprocess.Popen(
        [sys.executable, str(CHILD), str(tmp_path)],
        env=variables({"TERM": "xterm", "PYTHONUTF8": "1", **environ}), stdout=slave, stderr=slave,
    )  # fmt: skip
    os.close(slave)
    try:
        seen = read_to_end(master)
    finally:
        os.close(master)
        process.wait(LIMIT_S)
    assert (b"\x1b[" in seen) is coloured
    assert "✓".encode() in seen


def test_terminal_of_an_old_encoding(tmp_path: Path) -> None:
    machine = Machine((h100(name="NVIDIA T\u00e4st"),))
    env = {**driver_of(machine, tmp_path), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = run_child(tmp_path, env=env)
    assert done.stderr == ""
    assert "+ ok" in done.stdout
    assert "NVIDIA T\\xe4st" in done.stdout


def test_importing_the_command_is_cheap() -> None:
    """Every command of aipower mounts it."""
    program = "import sys; import aipower.doctor.cli; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "aipower.doctor.cli" in loaded
    assert not loaded & {"pynvml", "ctypes", "http.client", "tomllib", "aipower.sensors", "aipower.daemon"}
