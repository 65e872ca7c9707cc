"""What must hold for every page, whatever the record."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from aipower.runrecord import Energies, FaultLine, RunRecord, from_json
from aipower_exporters.html import render_html
from exporters.html.parsing import parsed
from exporters.html.records import bare, device, full, many_processes, merged, phase, power_of, process, unknown

KIB = 1024
RECORDS: dict[str, Callable[[], RunRecord]] = {
    "bare": bare,
    "unknown": unknown,
    "full": full,
    "merged": merged,
    "16 GPUs": lambda: full(16),
    "1000 processes": many_processes,
    "no phases": lambda: replace(full(), phases=[]),
    "no power": lambda: replace(full(), power=[]),
}


@pytest.fixture(params=list(RECORDS))
def record(request: pytest.FixtureRequest) -> RunRecord:
    return RECORDS[str(request.param)]()


def test_page_is_well_nested_and_its_ids_are_its_own(record: RunRecord) -> None:
    page = parsed(render_html(record))
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert page.names()[:3] == ["html", "head", "meta"]
    for name in ("title", "h1", "main", "header", "footer"):
        assert page.names().count(name) == 1


def test_every_reference_within_the_page_leads_somewhere(record: RunRecord) -> None:
    page = parsed(render_html(record))
    targets = {*page.attributes("id")}
    wanted = [*page.attributes("aria-labelledby"), *page.attributes("aria-describedby")]
    wanted += [link.removeprefix("#") for link in page.attributes("href")]
    assert wanted
    assert {*wanted} <= targets


def test_nothing_is_loaded(record: RunRecord) -> None:
    page = parsed(render_html(record))
    loading = {"src", "srcset", "data", "action", "poster", "background", "formaction", "ping", "manifest"}
    assert not loading & {key for _, found in page.tags for key in found}
    assert all(link.startswith("#") for link in page.attributes("href"))
    assert not {"link", "iframe", "object", "embed", "img", "base", "form"} & {*page.names()}
    assert all("url(" not in style and "@import" not in style for style in page.styles)


def test_policy_lets_in_the_pages_own_script_and_style_and_nothing_else(record: RunRecord) -> None:
    page = parsed(render_html(record))
    policies = [found for name, found in page.tags if found.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in str(policies[0]["content"]).split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == [_hash(script) for script in page.scripts]
    assert rules["style-src"].split() == [_hash(style) for style in page.styles]
    assert page.attributes("style") == []
    assert not [key for _, found in page.tags for key in found if key.startswith("on")]


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def test_policy_comes_before_what_it_governs() -> None:
    content = render_html(full())
    assert content.index(b"Content-Security-Policy") < content.index(b"<style") < content.index(b"<script")


def test_page_holds_the_whole_record(record: RunRecord) -> None:
    page = parsed(render_html(record))
    assert from_json(page.islands["record"].encode()) == record


def test_record_that_is_no_text_is_kept_too() -> None:
    odd = replace(bare(), command=["cat", "\udcff\udcfe"])
    page = parsed(render_html(odd))
    assert "\\udcff\\udcfe" in page.islands["record"]
    assert "??" in page.text


def test_same_record_makes_the_same_page(record: RunRecord) -> None:
    assert render_html(record) == render_html(record)


def test_page_without_data_is_small() -> None:
    assert len(render_html(bare())) <= 150 * KIB


def test_page_of_eight_gpus_is_not_much_larger_than_its_record() -> None:
    content = render_html(full(8))
    island = parsed(content).islands["record"]
    assert len(content) - len(island) < 300 * KIB


def test_table_has_a_caption_and_heads_with_a_scope(record: RunRecord) -> None:
    page = parsed(render_html(record))
    assert page.names().count("caption") == page.names().count("table")
    assert all(found.get("scope") in {"col", "row"} for name, found in page.tags if name == "th")


def test_pictures_are_named_or_hidden_from_screen_readers(record: RunRecord) -> None:
    before, *pictures = render_html(record).decode().split("<svg ")
    for picture in pictures:
        named = 'aria-label="' in picture.partition(">")[0]
        assert named or before.endswith('aria-hidden="true">')
        before = picture


def test_sections_without_data_are_left_out() -> None:
    page = parsed(render_html(bare()))
    assert [*page.attributes("aria-labelledby")] == ["summary-title", "guide-title"]
    assert "Nothing was measured" in page.text


def test_full_page_has_all_sections() -> None:
    page = parsed(render_html(full()))
    names = [name.removesuffix("-title") for name in page.attributes("aria-labelledby")]
    order = "summary power devices components processes phases not-measured faults origin guide"
    assert names == order.split()


@pytest.mark.parametrize(
    "words",
    [
        "bert-base baseline",
        "python train.py --model bert-base --lr 3e-4",
        "1 min 00 s",
        "3 min 02 s",
        "3.17 GiB",
        "node1",
        "2026-11-28 13:32:14 UTC",
        "20261128T133214Z-1a2b3c4d",
        "aipower-run, aipower 0.5.0",
        "1 process of the run still ran when it ended",
        "23.24 kJ",
        "[21.38 .. 25.10 kJ]",
        "= 6.46 Wh",
        "by energy counter and integrated power",
        "compares within ±1.2 %",
        "19.06 kJ",
        "0.00312 EUR [0.00280 .. 0.00340 EUR] 0.31 EUR/kWh, PUE 1.2",
        "3.10 g CO2e [2.80 .. 3.40 g] 381.2 g/kWh DEU 2024 annual average (Ember, CC BY 4.0), PUE 1.2",
        "0.0123 km by electric car (US EPA, 2024)",
        "19.37 mJ/token",
        "1,200,000",
        "0.9134",
        "0.2871",
        "NVIDIA H100 80GB HBM3",
        "9800 J",
        "[8.72 .. 10.88 kJ]",
        "14.00 kJ",
        "373.3 W",
        "700.0 W",
        "P0",
        "1980 MHz",
        "2619 MHz",
        "3080 J",
        "not calibrated",
        "GPU-0001",
        "All devices together drew 33.20 kJ",
        "never seen apart",
        "18.59 kJ",
        "2 processes that nothing tells apart on CPU 0",
        "4720, 4721",
        "14.17 mJ/token [13.46 .. 14.87 mJ] for 1,200,000 tokens",
        "by time alone",
        "outside of all phases",
        "it has no sensor",
        "measure at the wall",
        "the counter stood still",
        "repetition 2 of 5",
        "8812",
        "SLURM_JOB_ID",
        "yes, for all ranks on it",
    ],
)
def test_figures_of_the_record_are_on_the_page(words: str) -> None:
    assert words in parsed(render_html(full())).text


def test_each_row_of_the_record_has_its_line() -> None:
    record = many_processes(1000)
    text = parsed(render_html(record)).text
    assert "980 more" in text
    assert all(f"python worker.py {index}" in text for index in (0, 19, 20, 999))


def test_merged_run_names_its_nodes() -> None:
    text = parsed(render_html(merged())).text
    assert "2 nodes" in text
    assert "merged from" in text
    assert all(word in text for word in ("node1", "node2", "id-1", "id-2", "2, 3", "9000 J", "[8550 .. 9450 J]"))


def test_simulated_run_says_so_at_the_top() -> None:
    text = parsed(render_html(merged())).text
    assert "Simulated sensors" in text.partition("Energy of the run")[0]
    assert "Simulated sensors" not in parsed(render_html(full())).text


def test_long_command_is_cut_in_the_title_and_told_in_full_below() -> None:
    program = "print(1); " * 300
    page = parsed(render_html(replace(bare(), command=["python", "-c", program])))
    title, _, rest = page.text.partition("…")
    assert program not in title
    assert program in rest


def test_signal_is_told_in_words() -> None:
    assert "137 (signal 9)" in parsed(render_html(merged())).text


def test_unknown_is_said_and_never_zero() -> None:
    text = parsed(render_html(unknown())).text
    assert "The run's part is not known" in text
    assert "no energy was read" in text
    assert "the driver does not say who works" in text
    assert "The figures do not cover the whole run." in text
    assert "Energy by component" not in text
    assert "Power over time" not in text


def test_device_that_nobody_can_divide_is_in_no_component() -> None:
    known = replace(device(2), idle_j=None, other_j=None, unattributed_j=None)
    text = parsed(render_html(replace(unknown(), devices=[*unknown().devices, known]))).text
    assert "14.00 kJ of it cannot be divided" in text
    components = text.partition("Energy by component")[2].partition("Energy by phase")[0]
    assert components.count("9800 J") == 1
    assert components.count("not known") == 3


def test_hung_sensor_is_a_notice() -> None:
    hung = replace(full(), complete=False, faults=[FaultLine("GPU-0001", "hung", 5.0, 5.0, 1, "")])
    text = parsed(render_html(hung)).text
    assert "A sensor hung" in text
    assert "do not cover" not in text


def test_estimate_stands_beside_the_total() -> None:
    record = replace(bare(), cpu_time_s=3.0, estimated_j=Energies(cpu=42.0))
    text = parsed(render_html(record)).text
    assert "42.00 J" in text
    assert "estimated from 3.00 s of CPU time, not in the total" in text
    assert "Nothing was measured" in text


def test_part_covered_device_is_marked() -> None:
    short = replace(device(0), covered_s=20.0)
    assert "only 20.00 s of 1 min 00 s" in parsed(render_html(replace(full(), devices=[short]))).text


def test_device_that_contains_others_is_not_added() -> None:
    board = replace(device(0, "node", 90_000.0), kind="node", name="board")
    text = parsed(render_html(replace(full(), devices=[device(0), board]))).text
    assert "All devices together drew 14.00 kJ" in text
    assert "contain some of the others and are not added" in text


def test_power_of_a_device_without_a_row_is_drawn_under_its_id() -> None:
    record = replace(full(), power=[power_of(replace(device(0), device="GPU-lost"))])
    assert "GPU-lost" in parsed(render_html(record)).text


def test_figures_that_are_no_numbers_break_nothing() -> None:
    nan, inf = float("nan"), float("inf")
    broken = replace(
        full(),
        energy_j=Energies(total=nan, gpu=inf),
        wall_s=nan,
        started_unix_s=1e30,
        devices=[replace(device(0), energy_j=inf, interval_j=(nan, inf))],
        processes=[replace(process(1, "x", nan), interval_j=(0.0, inf))],
        phases=[phase(["x"], nan, [(nan, inf)])],
        metrics={"loss": nan, "big": inf},
    )
    assert "not known" in parsed(render_html(broken)).text


def test_entry_point_leads_here() -> None:
    [found] = importlib.metadata.entry_points(group="aipower.reports", name="html")
    assert found.load() is render_html
