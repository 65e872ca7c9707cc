"""The table of grid intensities that is shipped."""

from __future__ import annotations

from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import UsageError
from aipower.footprint.grid import ATTRIBUTION, Zone, find_zone, zones


def zone_or_mistake(word: str) -> Zone | str:
    try:
        return find_zone(word)
    except UsageError as error:
        return str(error)


def test_the_table_is_whole() -> None:
    table = zones()
    codes = [zone.iso3 for zone in table]
    assert len(table) > 200
    assert codes == sorted(set(codes))
    assert len({zone.name.casefold() for zone in table} | {code.casefold() for code in codes}) == 2 * len(table)
    for zone in table:
        assert len(zone.iso3) == 3
        assert zone.iso3.isascii()
        assert zone.iso3.isupper()
        assert zone.name
        # From hydropower to lignite and oil; 0 would be a hole in the data.
        assert 10 < zone.g_per_kwh < 1500
        assert 2020 <= zone.year <= 2024


@pytest.mark.parametrize(
    ("iso3", "g_per_kwh", "year"),
    [
        # By the source, and by a second, independent copy of Ember's table within 1 %.
        ("DEU", 344.1, 2024),
        ("CHN", 559.6, 2024),
        ("USA", 383.5, 2024),
        ("FRA", 44.2, 2024),
        ("NOR", 30.7, 2024),
        ("NAM", 59.3, 2022),
    ],
)
def test_known_countries(iso3: str, g_per_kwh: float, year: int) -> None:
    zone = find_zone(iso3)
    assert (zone.g_per_kwh, zone.year) == (g_per_kwh, year)


@pytest.mark.parametrize("word", ["DEU", "deu", "Germany", " GERMANY "])
def test_a_zone_has_a_code_and_a_name(word: str) -> None:
    assert find_zone(word).iso3 == "DEU"


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("DEO", "DEU (Germany)"),
        ("Germny", "DEU (Germany)"),
        ("Chin", "CHN (China)"),
        ("UK", "did you mean GBR (United Kingdom)"),
        ("GB", "codes of three letters"),
    ],
)
def test_an_unknown_zone_is_told_with_the_nearest(word: str, near: str) -> None:
    with pytest.raises(UsageError, match="--list-zones") as error:
        find_zone(word)
    assert near in str(error.value)


@given(st.text())
def test_no_word_does_harm(word: str) -> None:
    found = zone_or_mistake(word)
    if isinstance(found, str):
        assert found.isprintable()
    else:
        assert word.strip().casefold() in {found.iso3.casefold(), found.name.casefold()}


def test_the_licence_lies_beside_the_data_and_names_what_it_must() -> None:
    folder = resources.files("aipower.footprint").joinpath("data")
    text = folder.joinpath("LICENSE.grid_intensity.txt").read_text(encoding="utf-8")
    for needed in ("Ember", "Our World in Data", "CC BY 4.0", "creativecommons.org/licenses/by/4.0", "Changes"):
        assert needed in text
    assert ATTRIBUTION in text
    assert folder.joinpath("grid_intensity.csv").is_file()
