"""Compiles the fake driver on first use and keeps it for as long as its sources stay the same."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

SOURCES = Path(__file__).parent
LIBRARY = "libnvidia-ml.so.1"
"""The name under which pynvml loads it."""

FLAGS = (
    "-std=c11",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-O1",
    "-g",
    "-fPIC",
    "-shared",
    "-pthread",
)


class BuildError(RuntimeError):
    """The fake driver could not be compiled."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A build of the library: whole names of symbols that it lacks, and flags."""

    omit: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


_FIELDS = "nvmlDeviceGetFieldValues"
_UTILIZATION = "nvmlDeviceGetProcessUtilization"
_UTILIZATION_INFO = "nvmlDeviceGetProcessesUtilizationInfo"
_EXACT_ACCOUNTS = "nvmlDeviceGetAccountingStats_v2"
_LISTS = tuple(f"nvmlDeviceGet{kind}RunningProcesses_v3" for kind in ("Compute", "Graphics", "MPSCompute"))
_UBSAN = ("-fsanitize=undefined", "-fno-sanitize-recover=undefined")

VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        "full": Variant(),
        "no-fields": Variant(omit=(_FIELDS,)),
        "no-processes-info": Variant(omit=(_UTILIZATION_INFO,)),
        "no-exact-accounts": Variant(omit=(_EXACT_ACCOUNTS,)),
        "no-utilization": Variant(omit=(_UTILIZATION, _UTILIZATION_INFO)),
        "old": Variant(omit=(_FIELDS, _UTILIZATION_INFO, "nvmlDeviceGetArchitecture", _EXACT_ACCOUNTS, *_LISTS)),
        "checked": Variant(flags=_UBSAN),
    }
)
"""`old` lacks what drivers of about 2019 lack; `checked` ends the process at undefined behaviour."""


def library(variant: str | Variant = "full", *, compiler: str = "cc", cache: Path | None = None) -> Path:
    """The directory that holds `libnvidia-ml.so.1` of the variant, compiled where it is not there yet.

    Raises:
        BuildError: There is no compiler, or it refused.
        KeyError: There is no variant of that name.
    """
    chosen = VARIANTS[variant] if isinstance(variant, str) else variant
    command = (_find(compiler), *FLAGS, *chosen.flags)
    directory = (cache or _user_cache()) / _key(command, chosen)
    if not (directory / LIBRARY).exists():
        directory.mkdir(parents=True, exist_ok=True)
        _compile(command, chosen, directory)
    return directory


def strictest() -> str:
    """`checked` where the compiler has the sanitizer's library, else `full`."""
    try:
        library("checked")
    except BuildError:
        return "full"
    return "checked"


def _find(compiler: str) -> str:
    path = shutil.which(compiler)
    if path is None:
        raise BuildError(f"no C compiler {compiler!r}: install one (Debian: apt install gcc libc6-dev)")
    return path


def _user_cache() -> Path:
    """A directory of this user alone: nobody else may plant a library that our tests would load.

    Raises:
        BuildError: The directory belongs to someone else.
    """
    cache = Path(tempfile.gettempdir()) / f"aipower-fake-nvml-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    if cache.stat().st_uid != os.getuid():
        raise BuildError(f"{cache} belongs to another user: remove it")
    return cache


def _key(command: Sequence[str], variant: Variant) -> str:
    digest = hashlib.sha256("\0".join([*command, "", *variant.omit]).encode())
    for source in sorted(SOURCES.glob("*.[ch]")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:24]


def _exports(variant: Variant) -> str:
    """A linker script: NVML's names are visible, except the omitted ones; ours never are."""
    hidden = "".join(f" {symbol};" for symbol in variant.omit)
    return f"{{ global: nvml*; local:{hidden} *; }};\n"


def _compile(command: Sequence[str], variant: Variant, directory: Path) -> None:
    """Compile beside the target and move it there, so that others see a whole library or none."""
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        exports = Path(scratch, "exports.map")
        exports.write_text(_exports(variant))
        fresh = Path(scratch, LIBRARY)
        sources = sorted(str(source) for source in SOURCES.glob("*.c"))
        link = (f"-Wl,--version-script={exports}", f"-Wl,-soname,{LIBRARY}", "-o", str(fresh), "-lm")
        done = subprocess.run([*command, *sources, *link], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BuildError(f"the fake driver does not compile:\n{done.stderr}")
        fresh.replace(directory / LIBRARY)
