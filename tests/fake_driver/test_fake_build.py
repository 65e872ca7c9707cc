"""Building the fake driver."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fake_driver.build import LIBRARY, VARIANTS, BuildError, Variant, library, strictest


def symbols(directory: Path) -> set[str]:
    """NVML's functions that the library in `directory` offers, asked of the dynamic linker."""
    names = ("nvmlInit_v2", "nvmlDeviceGetFieldValues", "nvmlDeviceGetPowerUsage", "machine_load", "mix")
    loaded = ctypes.CDLL(str(directory / LIBRARY))
    return {name for name in names if hasattr(loaded, name)}


@pytest.mark.parametrize("variant", sorted({*VARIANTS} - {"checked"}))
def test_each_variant_compiles_without_a_warning(variant: str) -> None:
    assert (library(variant) / LIBRARY).stat().st_size > 0


def test_checked_variant_is_used_where_it_compiles() -> None:
    strict = strictest()
    assert strict in {"checked", "full"}
    assert (library(strict) / LIBRARY).exists()


def test_only_the_functions_of_nvml_are_visible() -> None:
    assert symbols(library()) == {"nvmlInit_v2", "nvmlDeviceGetFieldValues", "nvmlDeviceGetPowerUsage"}
    assert symbols(library("no-fields")) == {"nvmlInit_v2", "nvmlDeviceGetPowerUsage"}


def test_any_function_may_be_left_out() -> None:
    directory = library(Variant(omit=("nvmlDeviceGetPowerUsage",)))
    assert symbols(directory) == {"nvmlInit_v2", "nvmlDeviceGetFieldValues"}


def test_second_call_does_not_compile(tmp_path: Path) -> None:
    first = library(cache=tmp_path)
    written_ns = (first / LIBRARY).stat().st_mtime_ns
    assert library(cache=tmp_path) == first
    assert (first / LIBRARY).stat().st_mtime_ns == written_ns
    assert [path.name for path in first.iterdir()] == [LIBRARY]


def test_variants_do_not_share_a_directory(tmp_path: Path) -> None:
    assert library("full", cache=tmp_path) != library("no-fields", cache=tmp_path)


def test_many_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        directories = set(pool.map(lambda _: library(cache=tmp_path), range(4)))
    assert len(directories) == 1
    assert symbols(directories.pop())


def test_missing_compiler_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no C compiler 'no-such-cc'"):
        library(compiler="no-such-cc", cache=tmp_path)


def test_refusing_compiler_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="does not compile"):
        library(Variant(flags=("-DTEXT=(", "-Wno-such-warning-at-all")), cache=tmp_path)


def test_unset_script_is_reported() -> None:
    code = "import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).nvmlInit_v2() != 999)"
    path = str(library() / LIBRARY)
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, env={}, check=False)
    assert (done.returncode, done.stderr) == (0, "fake nvml: AIPOWER_FAKE_NVML is not set\n")
