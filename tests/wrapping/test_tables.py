from __future__ import annotations

from collections.abc import Sequence

from benchmarks.suite.table import Table
from benchmarks.wrapping.arms import AGENT, BARE, HERE, Arm
from benchmarks.wrapping.tables import Told, script_table, storm_table, true_table
from benchmarks.wrapping.trial import Trial


def arm(name: str, *, asks_agent: bool = False) -> Arm:
    return Arm(name, "all", lambda _, command: command, asks_agent=asks_agent)


def trial(before_s: float, own_s: float = 0.001, **others: float) -> Trial:
    given = {"cpu_s": 0.5, "own_cpu_s": 0.25, "agent_cpu_s": 0.0, **others}
    return Trial(before_s, own_s, 0.004, peak_bytes=12_000_000, **given)


TOLD = Told([arm(BARE), arm(AGENT, asks_agent=True), arm(HERE)], rest_share=0.1)
BARE_TRIALS = [trial(0.001), trial(0.002), trial(0.003)]


def cells(table: Table, row: int) -> dict[str, str]:
    return dict(zip(table.columns, table.rows[row], strict=True))


def results(agent: Sequence[Trial]) -> dict[str, Sequence[Trial]]:
    return {AGENT: agent, BARE: BARE_TRIALS}


def test_true() -> None:
    seen = true_table(TOLD, results([trial(0.060), trial(0.050), trial(0.040)]), ["a note"])
    assert [row[0] for row in seen.rows] == [BARE, AGENT]
    row = cells(seen, 1)
    assert (row["runs"], row["wall ms"], row["over bare ms"], row["middle half"]) == (
        "3",
        "55.0",
        "48.0",
        "50.0..60.0",
    )
    assert (row["until it starts ms"], row["after it ended ms"], row["peak RSS MB"]) == ("50.0", "4.0", "12.0")
    assert seen.notes == (f"{AGENT}: 48.0 ms over bare, budget 50.", "a note")


def test_what_the_agent_takes_anyhow_is_not_charged() -> None:
    quiet, busy = trial(0.995, agent_cpu_s=0.1), trial(0.995, agent_cpu_s=0.3)
    row = cells(true_table(TOLD, results([quiet, busy]), []), 1)
    assert row["CPU ms"] == "500.0 (+100.0)"
    assert cells(true_table(TOLD, {BARE: BARE_TRIALS}, []), 0)["CPU ms"] == "500.0"


def test_script() -> None:
    slower = [trial(0.2, own_s=1.101)]
    row = cells(script_table(TOLD, {BARE: [trial(0.1, own_s=1.001)], HERE: slower}), 1)
    assert (row["wrapper"], row["over bare ms"], row["own wall over bare ms"]) == (HERE, "200", "100")
    assert row["wrapper's CPU ms"] == "250.0"


def test_storm_tells_the_worst_account() -> None:
    exact, wrong = trial(0.1, counted_s=0.25), trial(0.1, own_cpu_s=0.5, counted_s=0.4)
    seen = storm_table(TOLD, {"fork": {BARE: BARE_TRIALS}, "exec": {BARE: BARE_TRIALS, HERE: [wrong, exact]}}, 77)
    assert [row[0] for row in seen.rows] == [f"fork, {BARE}", f"exec, {BARE}", f"exec, {HERE}"]
    row = cells(seen, 2)
    assert (row["CPU s that it tells"], row["truly"]) == ("0.400", "0.500")
    assert cells(seen, 0)["CPU s that it tells"] == "-"
    assert "77" in seen.title
