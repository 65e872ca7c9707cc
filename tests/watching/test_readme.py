"""The tables of the README are those of its file of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.suite.document import Facts, Section, read_tables, render
from benchmarks.suite.readme import RESULTS, UnknownTableError, main, names, updated
from benchmarks.suite.table import Table

ROOT = Path(__file__).resolve().parents[2]
TABLE = Table("some-table", "Some", ("what", "ms", "MB"), (("a", "1", "2"), ("b", "3", "")), ("Noted.",))


def results(folder: Path) -> Path:
    """A file of results with `TABLE`."""
    facts = Facts("2026-11-28", "command", (("CPU", "some"),), {"rival": "1.0"})
    path = folder / "2026-11-28-watching.md"
    path.write_text(render(facts, [Section("part", [TABLE], "0.1", "0.2", 3.0)], [folder / "a" / "plot.svg"], folder))
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = results(tmp_path)
    assert read_tables(path.read_text()) == {"some-table": TABLE.markdown()}
    assert "- Noted." in path.read_text()
    assert "(a/plot.svg)" in path.read_text()


def test_a_document_gets_its_table_and_is_checked(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("before\n<!-- suite: some-table -->\nold\n<!-- /suite -->\nafter\n")
    arguments = [str(results(tmp_path)), "--document", str(document)]
    assert main([*arguments, "--check"]) == 1
    assert main(arguments) == 0
    assert document.read_text() == (
        f"before\n<!-- suite: some-table -->\n{TABLE.markdown()}\n<!-- /suite -->\nafter\n"
    )
    assert main([*arguments, "--check"]) == 0
    document.write_text(document.read_text().replace("| 3 |", "| 2 |"))
    assert main([*arguments, "--check"]) == 1


def test_columns_can_be_chosen() -> None:
    block = "<!-- suite: some-table MB|what -->\n<!-- /suite -->"
    shown = updated(block, {"some-table": TABLE.markdown()}).splitlines()
    assert shown[1:-1] == ["| MB | what |", "| --: | --- |", "| 2 | a |", "|  | b |"]


@pytest.mark.parametrize("wanted", ["other-table", "some-table seconds"])
def test_what_the_results_lack_is_named(wanted: str) -> None:
    with pytest.raises(UnknownTableError, match=wanted.rsplit(maxsplit=1)[-1]):
        updated(f"<!-- suite: {wanted} -->\n<!-- /suite -->", {"some-table": TABLE.markdown()})


def test_the_readme_shows_what_its_results_say() -> None:
    text = (ROOT / "README.md").read_text()
    if not names(text):
        pytest.skip("README.md has no <!-- suite: NAME --> markers yet")
    linked = sorted(set(RESULTS.findall(text)))
    assert len(linked) == 1, f"README.md must name one file of results beside its tables, and has {linked}"
    assert updated(text, read_tables((ROOT / linked[0]).read_text())) == text, (
        f"run: python -m benchmarks.suite.readme {linked[0]}"
    )
