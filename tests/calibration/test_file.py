"""The calibration file: round trips, other devices' entries, garbage, and no cost without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from aipower.calibration.default import default_calibration
from aipower.calibration.entry import Entry
from aipower.calibration.file import (
    SCHEMA,
    calibration_files,
    load_calibrations,
    read_entries,
    remove_entry,
    save_entry,
    target_file,
)
from aipower.errors import AipowerError, UsageError

ENTRY = Entry(0.958, 21.6, 0.001, 0.2, -0.0001, 0.7, 19, (5.0, 450.0), "shunt", "2026-11-23", "RTX 4090", "570.86.15")


def text(**changes: object) -> str:
    return json.dumps({"schema": SCHEMA, "devices": {"GPU-1": {**asdict(ENTRY), **changes}}})


@given(
    st.floats(0.5, 2), st.floats(-20, 40), st.floats(0, 0.1), st.floats(0, 5), st.floats(-1, 1),
    st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=40).filter(str.isprintable),
)  # fmt: skip
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(
    tmp_path: Path, gain: float, offset_w: float, gain_se: float, offset_se_w: float, likeness: float, meter: str
) -> None:
    scale = (gain, offset_w, gain_se, offset_se_w, likeness * gain_se * offset_se_w)
    entry = Entry(*scale, 0.7, 19, (5.0, 450.0), meter, "2026-11-23", "RTX", "570")
    save_entry(tmp_path / "c.json", "GPU-2", entry)
    assert read_entries(tmp_path / "c.json") == {"GPU-2": entry}


def test_saving_keeps_the_others_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "new/folder/calibration.json"
    save_entry(path, "GPU-1", ENTRY)
    save_entry(path, "GPU-2", replace(ENTRY, gain=1.02))
    save_entry(path, "GPU-1", replace(ENTRY, gain=0.99))
    assert {device: entry.gain for device, entry in read_entries(path).items()} == {"GPU-1": 0.99, "GPU-2": 1.02}
    assert remove_entry(path, "GPU-1")
    assert not remove_entry(path, "GPU-1")
    assert list(read_entries(path)) == ["GPU-2"]
    assert [each.name for each in path.parent.iterdir()] == ["calibration.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    save_entry(tmp_path / "link.json", "GPU-1", ENTRY)
    assert (tmp_path / "link.json").is_symlink()
    assert read_entries(tmp_path / "real.json") == {"GPU-1": ENTRY}


def test_the_user_overrides_the_system_and_the_variable_both(tmp_path: Path) -> None:
    system, user = tmp_path / "etc.json", tmp_path / "config/aipower/calibration.json"
    save_entry(system, "GPU-1", ENTRY)
    save_entry(system, "GPU-2", ENTRY)
    save_entry(user, "GPU-1", replace(ENTRY, gain=1.5))
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    found = load_calibrations(environ, system)
    assert (found["GPU-1"].gain, found["GPU-2"].gain) == (1.5, 0.958)
    assert found["GPU-1"].source == f"shunt, 2026-11-23, {user}"
    assert load_calibrations({**environ, "AIPOWER_CALIBRATION": str(system)}, system)["GPU-1"].gain == 0.958
    with pytest.raises(UsageError, match=r"AIPOWER_CALIBRATION names .* not there"):
        load_calibrations({"AIPOWER_CALIBRATION": str(tmp_path / "typo.json")})
    with pytest.raises(UsageError, match=r"AIPOWER_CALIBRATION names .* not for us to see"):
        load_calibrations({"AIPOWER_CALIBRATION": "x" * 5000})


def test_where_results_go(tmp_path: Path) -> None:
    system = tmp_path / "etc.json"
    assert target_file({"HOME": "/home/me"}, root=False, system=system) == Path(
        "/home/me/.config/aipower/calibration.json"
    )
    assert target_file({"HOME": "/root"}, root=True, system=system) == system
    assert target_file({"AIPOWER_CALIBRATION": "/x.json"}, root=True, system=system) == Path("/x.json")
    assert calibration_files({"XDG_CONFIG_HOME": "relative"}, system) == (system,)
    with pytest.raises(UsageError, match="--output"):
        target_file({}, root=False, system=system)


@pytest.mark.parametrize(("changes", "words"), [
    ({"gain": 0.4}, "gain 0.4 is not within 0.5 and 2"),
    ({"gain": "1"}, "Expected `float`"),
    ({"gain_se": -0.1}, "gain_se is negative"),
    ({"covariance_w": 1.0}, "more than the two errors allow"),
    ({"range_w": [5]}, "length 2"),
    ({"range_w": [450, 5]}, "no range of watts"),
    ({"offset_w": -900}, "makes 450 W negative"),
    ({"points": 0}, "points is 0"),
    ({"meter": "a\x1b[2J"}, "one printable line"),
])  # fmt: skip
def test_nonsense_is_one_line_with_the_file(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    (tmp_path / "c.json").write_text(text(**changes))
    with pytest.raises(UsageError, match=words) as caught:
        read_entries(tmp_path / "c.json")
    assert str(caught.value).startswith(str(tmp_path / "c.json"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-1e400"])
def test_numbers_without_end_are_refused(tmp_path: Path, number: str) -> None:
    (tmp_path / "c.json").write_text(text().replace("21.6", number))
    with pytest.raises(UsageError):
        read_entries(tmp_path / "c.json")


@given(st.one_of(st.binary(max_size=300), st.sampled_from([b"[" * 100_000, b"{}", b"null", b'{"schema":"x"}'])))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_a_usage_error_and_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"c\.json"):
        save_entry(path, "GPU-1", ENTRY)
    assert path.read_bytes() == content


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_to_a_good_file_never_surprises(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(text().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "c.json").write_bytes(content)
    try:
        entries = read_entries(tmp_path / "c.json")
    except UsageError:
        return
    assert all(0.5 <= entry.gain <= 2 and entry.uncertainty >= 0 for entry in entries.values())


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ""):
        with pytest.raises(UsageError):
            read_entries(tmp_path / name)
    with pytest.raises(AipowerError, match="cannot be written"):
        save_entry(Path("/proc/none/c.json"), "GPU-1", ENTRY)


def test_without_a_file_nothing_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from aipower.calibration.file import load_calibrations;"
        f"assert load_calibrations({{'HOME': {str(tmp_path)!r}}}, Path('/none')) == {{}};"
        "print([name for name in ('json', 'tempfile', 'statistics') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_default_is_wide_where_nobody_measured() -> None:
    gpu, cpu = default_calibration("gpu"), default_calibration("cpu")
    assert gpu.error_uj(30e6, 1) * 1.96 / 1e6 == pytest.approx((1.5**2 + 12**2) ** 0.5, rel=1e-3)
    assert cpu.error_uj(100e6, 1) * 1.96 / 1e6 == pytest.approx(5.0, rel=1e-3)
