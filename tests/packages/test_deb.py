"""The Debian package: built from the repository, and looked at."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from aipower import __version__
from packages.tools import ROOT, need, run

pytestmark = pytest.mark.timeout(600)


def names(deb: Path) -> set[str]:
    """The paths in the package, without the leading ./"""
    return {line.split(None, 5)[5].removeprefix("./") for line in run("dpkg-deb", "--contents", deb).splitlines()}


def content(deb: Path, name: str) -> str:
    """The text of one file in the package."""
    return run("sh", "-c", 'dpkg-deb --fsys-tarfile "$0" | tar -xO "./$1"', deb, name)


def test_every_dependency_is_pinned_and_the_pins_fit() -> None:
    wanted = [
        Requirement(line) for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    ]
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+) ", (ROOT / "deploy/requirements.txt").read_text(), re.MULTILINE))
    assert {each.name for each in wanted} <= set(pins)
    assert all(each.specifier.contains(pins[each.name]) for each in wanted)
    # And whatever they need themselves, on Linux.
    for name in pins:
        for text in importlib.metadata.requires(name) or ():
            each = Requirement(text)
            if each.marker is None or each.marker.evaluate({"extra": ""}):
                assert each.name.lower().replace("_", "-") in pins, f"{name} needs {text}"


def test_building_leaves_the_repository_alone(deb: Path) -> None:
    assert deb.name.startswith(f"aipower_{__version__}_")
    left = [path for path in (ROOT / "debian", ROOT / "build", ROOT / "deploy/deb/debian/files") if path.exists()]
    assert (left, list(ROOT.glob("*.deb"))) == ([], [])


def test_the_package_has_what_a_service_needs(deb: Path) -> None:
    assert names(deb) >= {
        "etc/aipower/aipower.toml", "lib/systemd/system/aipower.service", "lib/udev/rules.d/60-aipower.rules",
        "usr/bin/aipower", "usr/bin/aipower-run", "usr/lib/sysusers.d/aipower.conf", "usr/lib/tmpfiles.d/aipower.conf",
        "usr/share/doc/aipower/copyright",
    }  # fmt: skip
    fields = run("dpkg-deb", "--field", deb)
    minor = run("/usr/bin/python3", "-c", "import sys; print(f'python3 (<< 3.{sys.version_info[1] + 1})')").strip()
    assert minor in fields
    assert "/etc/aipower/aipower.toml" in run("dpkg-deb", "--info", deb, "conffiles").splitlines()


def test_nothing_of_the_build_machine_is_in_the_package(deb: Path) -> None:
    outside = [
        name
        for name in names(deb)
        if re.search(r"__pycache__|direct_url|RECORD|lib/aipower/(bin|share|example)", name)
    ]
    assert outside == []
    assert all(line.split()[1] == "root/root" for line in run("dpkg-deb", "--contents", deb).splitlines())


def test_the_licence_of_each_bundled_package_is_told(deb: Path) -> None:
    copyright_text = content(deb, "usr/share/doc/aipower/copyright")
    bundled = {name.split("/")[3] for name in names(deb) if re.match(r"usr/lib/aipower/[^/]+/", name)}
    assert len(bundled) > 20
    told = set(re.findall(r"usr/lib/aipower/([^/\s]+)/\*", copyright_text))
    assert {name for name in bundled if name not in told} == {
        "aipower", "aipower_exporters", f"aipower-{__version__}.dist-info",
    }  # fmt: skip
    assert "Permission is hereby granted" in copyright_text


def test_lintian_finds_no_error(deb: Path) -> None:
    need("lintian", "lintian")
    run("lintian", "--allow-root", "--fail-on", "error", deb)
