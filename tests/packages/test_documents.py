"""docs/install.md and docs/security.md say what is there."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from packages.tools import ROOT, need

DOCUMENTS = [ROOT / "docs/install.md", ROOT / "docs/security.md"]
UNIT = ROOT / "systemd/aipower.service"


def blocks(language: str) -> list[str]:
    """The fenced blocks of that language in both documents."""
    text = "".join(path.read_text() for path in DOCUMENTS)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_what_is_linked_is_there(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text())
    assert links
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_commands_name_files_that_there_are() -> None:
    words = " ".join(blocks("sh")).split()
    assert [word for word in words if word.startswith("deploy/") and not (ROOT / word).exists()] == []


def test_what_the_way_by_pip_takes_from_the_wheel_is_in_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    data = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    taken = set(re.findall(r"/opt/aipower/(share/aipower/[\w.-]+)", " ".join(blocks("sh"))))
    assert len(taken) == 5
    assert taken <= set(data.values())
    assert all((ROOT / source).exists() for source in data)


def test_the_way_by_pip_changes_the_path_in_the_unit() -> None:
    (command,) = re.findall(r"^sed '(\S+)' ", "".join(blocks("sh")), re.MULTILINE)
    changed = subprocess.run(["sed", command, UNIT], capture_output=True, text=True, check=True).stdout
    assert "\nExecStart=/opt/aipower/bin/aipower agent\n" in changed
    assert "/usr/bin/aipower" not in changed


def test_the_exposure_is_what_systemd_says() -> None:
    need("systemd-analyze", "systemd")
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    (exposure,) = re.findall(r"Overall exposure level for \S+ (\d\.\d)", said)
    assert f"gives {exposure} of 10" in (ROOT / "docs/security.md").read_text()


@pytest.mark.parametrize("drop_in", blocks("ini"), ids=lambda text: text.splitlines()[2])
def test_systemd_accepts_a_drop_in(drop_in: str, tmp_path: Path) -> None:
    need("systemd-analyze", "systemd")
    unit = tmp_path / "aipower.service"
    unit.write_text(UNIT.read_text().replace("/usr/bin/aipower agent", "/bin/true") + drop_in)
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
