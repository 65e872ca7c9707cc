"""The user's configuration file."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from aipower.errors import UsageError
from aipower.footprint.grid import zones
from aipower.footprint.places import SYSTEM_FILE, config_file
from aipower.footprint.settings import RANGES, Footprint, from_fields, load_footprint, to_fields

SHIPPED = Path(__file__).parents[2] / "config" / "user.toml"
CODES = [zone.iso3 for zone in zones()]


def load(tmp_path: Path, text: str) -> Footprint:
    file = tmp_path / "user.toml"
    file.write_text(text, encoding="utf-8")
    return load_footprint({"AIPOWER_USER_CONFIG": str(file)}, tmp_path)


def footprint_or_mistake(values: Mapping[str, object]) -> Footprint | str:
    try:
        return from_fields(values)
    except UsageError as error:
        return str(error)


def put(file: Path, pue: float) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"[footprint]\npue = {pue}\n", encoding="utf-8")
    return file


def test_all_keys(tmp_path: Path) -> None:
    text = '[footprint]\nprice_per_kwh = 0.32\ncurrency = "EUR"\npue = 1.4\nzone = "deu"\n'
    assert load(tmp_path, text) == Footprint(0.32, "EUR", 1.4, "DEU")
    assert load(tmp_path, "[footprint]\nintensity_g_per_kwh = 50\n") == Footprint(intensity_g_per_kwh=50.0)


def test_numbers_come_as_floats(tmp_path: Path) -> None:
    assert isinstance(load(tmp_path, "[footprint]\nintensity_g_per_kwh = 50\n").intensity_g_per_kwh, float)


@pytest.mark.parametrize("text", ["", "[footprint]\n", "# nothing\n", '[footprint]\nzone = ""\ncurrency = ""\n'])
def test_what_is_not_set_is_not_known(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == Footprint()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[footprint]\npeu = 1.1\n", "footprint: unknown key 'peu'; did you mean pue?"),
        ("[footprint]\nwatts = 1.1\n", "footprint: unknown key 'watts'; there are price_per_kwh"),
        ("pue = 1.1\n", "unknown key 'pue'; the file has one table, [footprint]"),
        ("footprint = 3\n", "footprint: expected a table"),
        ("[[footprint]]\npue = 1.1\n", "footprint: expected a table"),
        ("[footprint]\npue = 0.9\n", "footprint.pue: expected a number from 1 to 10, not 0.9"),
        ("[footprint]\npue = 11\n", "footprint.pue: expected a number from 1 to 10, not 11"),
        ("[footprint]\npue = true\n", "footprint.pue: expected a number from 1 to 10, not True"),
        ("[footprint]\npue = nan\n", "footprint.pue: expected a number from 1 to 10, not nan"),
        ('[footprint]\npue = "1.2"\n', "footprint.pue: expected a number from 1 to 10, not '1.2'"),
        (f"[footprint]\npue = 1{'0' * 400}\n", "footprint.pue: expected a number from 1 to 10, not 1000"),
        ('[footprint]\ncurrency = "EUR"\nprice_per_kwh = -1\n', "footprint.price_per_kwh: expected a number"),
        ('[footprint]\ncurrency = "EUR"\nprice_per_kwh = inf\n', "footprint.price_per_kwh: expected a number"),
        ("[footprint]\nprice_per_kwh = 0.3\n", "footprint.price_per_kwh: of what currency?"),
        ('[footprint]\ncurrency = "of the realm"\n', "footprint.currency: expected up to 8 characters"),
        ('[footprint]\ncurrency = "E\\u001b[1m"\n', "footprint.currency: expected up to 8 characters"),
        ("[footprint]\ncurrency = 3\n", "footprint.currency: expected a text in quotes, not 3"),
        (
            "[footprint]\nintensity_g_per_kwh = 9e9\n",
            "footprint.intensity_g_per_kwh: expected a number from 0 to 5000",
        ),
        ('[footprint]\nzone = "DEO"\n', "footprint.zone: no zone 'DEO'; did you mean GEO (Georgia) or DOM"),
        ("[footprint]\nzone = 276\n", "footprint.zone: expected a text in quotes, not 276"),
        (
            '[footprint]\nzone = "DEU"\nintensity_g_per_kwh = 3\n',
            "footprint.intensity_g_per_kwh: zone is given too; take one of them away",
        ),
        ("[footprint\n", "no TOML: "),
        ("[footprint]\npue = 1.1\npue = 1.2\n", "no TOML: "),
        ("x = " + "[" * 100_000, "no TOML: "),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        load(tmp_path, text)
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'user.toml'}: {told}")
    assert message.isprintable()


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    file = tmp_path / "user.toml"
    file.write_bytes(b"[footprint]\ncurrency = '\xff'\n")
    with pytest.raises(UsageError, match="no TOML"):
        load_footprint({"AIPOWER_USER_CONFIG": str(file)}, tmp_path)


def test_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        load_footprint({"AIPOWER_USER_CONFIG": str(tmp_path)}, tmp_path)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file; AIPOWER_USER_CONFIG names it"):
        load_footprint({"AIPOWER_USER_CONFIG": str(tmp_path / "none.toml")}, tmp_path)


def test_none_reads_no_file(tmp_path: Path) -> None:
    put(tmp_path / ".config/aipower/config.toml", 1.2)
    assert load_footprint({"AIPOWER_USER_CONFIG": "none"}, tmp_path) == Footprint()


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    home, xdg = tmp_path / "home", tmp_path / "xdg"
    in_home = put(home / ".config/aipower/config.toml", 1.2)
    in_xdg = put(xdg / "aipower/config.toml", 1.3)
    named = put(tmp_path / "named.toml", 1.4)
    environ = {"AIPOWER_USER_CONFIG": str(named), "XDG_CONFIG_HOME": str(xdg)}
    assert load_footprint(environ, home).pue == 1.4
    assert config_file(environ | {"AIPOWER_USER_CONFIG": ""}, home) == str(in_xdg)
    assert config_file({"XDG_CONFIG_HOME": ""}, home) == str(in_home)
    # The XDG specification wants relative paths ignored.
    assert config_file({"XDG_CONFIG_HOME": "xdg"}, str(home)) == str(in_home)


def test_a_folder_that_cannot_be_entered_is_as_good_as_none(tmp_path: Path) -> None:
    """A link to itself: unlike a folder without permissions, it keeps out root too."""
    (tmp_path / ".config").symlink_to(tmp_path / ".config")
    assert config_file({}, tmp_path) in {None, SYSTEM_FILE}
    assert config_file({}, "/no\0name") in {None, SYSTEM_FILE}


def test_without_a_file_nothing_is_imported_and_nothing_opened(tmp_path: Path) -> None:
    """Each run comes here: no file must cost it next to nothing."""
    script = (
        "import sys\n"
        "from aipower.footprint.settings import Footprint, load_footprint\n"
        "before, opened = set(sys.modules), []\n"
        "sys.addaudithook(lambda event, args: opened.append(args[0]) if event in ('open', 'import') else None)\n"
        f"footprint = load_footprint({{'HOME': '/x'}}, {str(tmp_path)!r})\n"
        "assert footprint == Footprint(), footprint\n"
        "assert not opened and set(sys.modules) == before, opened\n"
        "assert not {'tomllib', 'csv', 'pathlib', 'difflib'} & set(sys.modules)\n"
    )
    if Path(SYSTEM_FILE).exists():
        pytest.skip("this machine has a configuration for all users")
    source = Path(__file__).parents[2] / "agent"
    libraries = Path(msgspec.__file__).parents[1]
    # -S: what site-packages import at start-up (editable installations use pathlib) is not ours.
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"PYTHONPATH": f"{source}:{libraries}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_shipped_file_is_all_defaults() -> None:
    assert load_footprint({"AIPOWER_USER_CONFIG": str(SHIPPED)}, "/") == Footprint()


def test_the_shipped_file_documents_every_key_with_its_default() -> None:
    lines = [line.removeprefix("#") for line in SHIPPED.read_text(encoding="utf-8").splitlines()]
    keys = {
        field.name: next(line for line in lines if line.startswith(f"{field.name} = ")) for field in fields(Footprint)
    }
    shown = tomllib.loads("\n".join(keys.values()))
    for field in fields(Footprint):
        if field.default is not None:
            assert shown[field.name] == field.default
    examples = {key: value for key, value in shown.items() if key in {"price_per_kwh", "intensity_g_per_kwh"}}
    assert from_fields(examples | {"currency": "EUR"}).price_per_kwh == shown["price_per_kwh"]


def footprints() -> st.SearchStrategy[Footprint]:
    numbers = {key: st.floats(*limits) for key, limits in RANGES.items()}
    places: st.SearchStrategy[Mapping[str, object]] = st.one_of(
        st.just({}),
        st.fixed_dictionaries({"zone": st.sampled_from(CODES)}),
        st.fixed_dictionaries({"intensity_g_per_kwh": numbers["intensity_g_per_kwh"]}),
    )
    prices: st.SearchStrategy[Mapping[str, object]] = st.one_of(
        st.just({}),
        st.fixed_dictionaries({"price_per_kwh": numbers["price_per_kwh"], "currency": st.sampled_from(["EUR", "¥"])}),
    )

    def build(pue: float, place: Mapping[str, object], price: Mapping[str, object]) -> Footprint:
        return Footprint(pue=pue, **place, **price)  # type: ignore[arg-type]

    return st.builds(build, numbers["pue"], places, prices)


@given(footprints())
def test_a_footprint_survives_flat_json(footprint: Footprint) -> None:
    sent = json.dumps(to_fields(footprint))
    assert all(isinstance(value, str | float) for value in json.loads(sent).values())
    assert from_fields(json.loads(sent)) == footprint


def test_an_empty_footprint_needs_no_bytes() -> None:
    assert to_fields(Footprint()) == {}


@given(
    st.dictionaries(st.sampled_from([field.name for field in fields(Footprint)]), st.none() | st.text() | st.floats())
)
def test_what_an_agent_gets_is_checked(values: dict[str, object]) -> None:
    found = footprint_or_mistake(values)
    if isinstance(found, str):
        assert found.startswith("footprint")
        assert found.isprintable()
    else:
        assert 1 <= found.pue <= 10
        assert not found.zone or found.intensity_g_per_kwh is None
