from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from benchmarks.suite.rivals import PINNED
from benchmarks.watching.programs import RIVALS
from benchmarks.wrapping.trial import ERRORS
from benchmarks.wrapping.wrappers import DRIVERS, counted_by_joule_profiler_s, counted_by_perf_s, others

COMMAND = ["load", "FILE", "true"]


@pytest.fixture
def rivals(tmp_path: Path) -> Path:
    """Environments with the programs that their packages bring along."""
    for name in PINNED:
        folder = tmp_path / name / "bin"
        folder.mkdir(parents=True)
        for program in (name, "python"):
            (folder / program).touch(mode=0o755)
    return tmp_path


def test_each_environment_is_used_and_each_program_is_of_one(rivals: Path) -> None:
    arms, _ = others(rivals)
    programs = [Path(arm.argv(rivals, COMMAND)[0]) for arm in arms]
    used = [path.relative_to(rivals).parts[0] for path in programs if path.is_absolute()]
    watching = {program.rival for program in RIVALS}
    assert {*used, *watching} == set(PINNED), "what is installed is measured, and what is measured is installed"


def test_all_start_the_command_as_it_is(rivals: Path) -> None:
    for arm in others(rivals)[0]:
        assert " ".join(arm.argv(rivals, COMMAND)).count("load FILE true") == 1, arm.name


def test_drivers_are_there(rivals: Path) -> None:
    for arm in others(rivals)[0]:
        scripts = [word for word in arm.argv(rivals, COMMAND) if word.endswith(".py")]
        assert all(Path(word).is_file() and word.startswith(str(DRIVERS)) for word in scripts)


def test_what_is_not_installed_is_named(rivals: Path) -> None:
    shutil.rmtree(rivals / "perun")
    arms, missing = others(rivals)
    assert "perun monitor" in missing
    assert "perun monitor" not in {arm.name for arm in arms}
    assert {arm.name for arm in arms}.isdisjoint(missing)


def test_versions_are_pinned() -> None:
    for name, (first, *_) in PINNED.items():
        assert re.match(rf"{name}(\[\w+\])?==", first)


def test_perf_tells_milliseconds(tmp_path: Path) -> None:
    line = "          1,020.43 msec task-clock                       #    0.279 CPUs utilized"
    (tmp_path / ERRORS).write_text(f"\n Performance counter stats for 'load':\n\n{line}\n")
    assert counted_by_perf_s(tmp_path) == pytest.approx(1.02043)


def test_joule_profiler_tells_both_kinds(tmp_path: Path) -> None:
    lines = ["START -> END procfs proc_cpu_user 170 ms", "START -> END procfs proc_cpu_system 110 ms"]
    (tmp_path / ERRORS).write_text("\n".join(lines))
    assert counted_by_joule_profiler_s(tmp_path) == pytest.approx(0.28)


def test_silence_is_no_zero(tmp_path: Path) -> None:
    (tmp_path / ERRORS).write_text("")
    assert counted_by_perf_s(tmp_path) is None
    assert counted_by_joule_profiler_s(tmp_path) is None
