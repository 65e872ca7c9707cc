"""Colours can be told from the page and from each other, by readers who see few colours too."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from aipower_exporters.html.assets import UPLOT_VERSION, asset
from aipower_exporters.html.labels import HUES

Rgb = tuple[float, float, float]
GRAPHICS, TEXT = 3.0, 4.5
"""Least contrasts of WCAG 2.2, criteria 1.4.11 and 1.4.3."""
LEAST_APART = 7.0
"""CIE 1976 difference in L*a*b*; 2.3 is just noticeable side by side."""
DEFICIENCIES = {
    "none": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    # Machado, Oliveira and Fernandes 2009, table of severity 1.0; they work on linear light.
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}
FIRST = 4
"""So many colours must be told apart by all; later devices have dashes and their line in the legend too."""


def themes() -> list[dict[str, str]]:
    """Light, dark by the system, dark by choice."""
    blocks = re.findall(r":root[^{]*\{([^}]*)\}", asset("style.css"))
    return [dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


def linear(color: str) -> Rgb:
    values = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return red, green, blue


def luminance(color: str) -> float:
    red, green, blue = linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def seen(color: str, deficiency: str) -> Rgb:
    rgb = linear(color)
    rows = DEFICIENCIES[deficiency]
    red, green, blue = (min(1.0, max(0.0, sum(a * b for a, b in zip(row, rgb, strict=True)))) for row in rows)
    return red, green, blue


def lab(rgb: Rgb) -> Rgb:
    red, green, blue = rgb
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def apart(one: str, other: str, deficiency: str) -> float:
    pairs = zip(lab(seen(one, deficiency)), lab(seen(other, deficiency)), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def test_both_dark_themes_are_the_same() -> None:
    _, by_system, by_choice = themes()
    assert by_system == by_choice


def test_dark_theme_has_all_colours_of_the_light_one() -> None:
    light, dark, _ = themes()
    assert light.keys() == dark.keys()


@pytest.mark.parametrize("theme", [0, 1])
def test_lines_stand_out_from_the_page(theme: int) -> None:
    colors = themes()[theme]
    for hue in range(HUES):
        assert contrast(colors[f"--hue-{hue}"], colors["--page"]) >= GRAPHICS
    assert contrast(colors["--run"], colors["--page"]) >= GRAPHICS


@pytest.mark.parametrize("theme", [0, 1])
def test_text_can_be_read(theme: int) -> None:
    colors = themes()[theme]
    for name in ("--text", "--quiet", "--accent", "--good", "--bad"):
        assert contrast(colors[name], colors["--page"]) >= TEXT
    assert contrast(colors["--warn-text"], colors["--warn-page"]) >= TEXT


@pytest.mark.parametrize("deficiency", list(DEFICIENCIES))
@pytest.mark.parametrize("theme", [0, 1])
def test_devices_are_told_apart_by_all(theme: int, deficiency: str) -> None:
    hues = [themes()[theme][f"--hue-{hue}"] for hue in range(HUES)]
    for one, other in combinations(hues[:FIRST], 2):
        assert apart(one, other, deficiency) >= 2 * LEAST_APART
    for one, other in combinations(hues, 2):
        assert apart(one, other, deficiency) >= LEAST_APART


@pytest.mark.parametrize("deficiency", list(DEFICIENCIES))
@pytest.mark.parametrize("theme", [0, 1])
def test_components_are_told_apart_by_all(theme: int, deficiency: str) -> None:
    parts = [themes()[theme][f"--{name}"] for name in ("run", "idle", "other", "unattributed")]
    for one, other in combinations(parts, 2):
        assert apart(one, other, deficiency) >= 2 * LEAST_APART


def test_version_of_uplot_is_the_one_that_is_shipped() -> None:
    assert f"(v{UPLOT_VERSION})" in asset("uPlot.iife.min.js")[:100]
    assert "MIT License" in asset("uPlot.LICENSE")


def test_assets_have_plain_line_ends_and_end_no_element() -> None:
    for name in ("uPlot.iife.min.js", "model.js", "chart.js", "page.js", "style.css", "uPlot.min.css"):
        content = asset(name)
        assert "\r" not in content
        assert not re.search(r"</(script|style)|<!--", content, re.IGNORECASE)
