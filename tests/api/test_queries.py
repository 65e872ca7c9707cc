"""Mistakes are told in a line that names the parameter and the remedy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower_exporters.api.catalogue import ENTRIES, PARAMETERS
from api.clients import Client, client
from api.worlds import Size, world


@pytest.fixture(scope="module")
def api() -> Client:
    return client(world().sources())


MISTAKES = {
    "processes?limt=5": "'limt': unknown parameter; did you mean limit?",
    "processes?page=5": "'page': unknown parameter; there are sort, limit",
    "snapshot?verbose=1": "'verbose': unknown parameter; leave it out",
    "openapi.json?x": "'x': unknown parameter; leave it out",
    "processes?sort=pwer": "sort: unknown word 'pwer'; did you mean power?",
    "processes?sort=": "sort: unknown word ''; there are power, energy",
    "processes?limit=0": "limit: expected a number from 1 to 10000, not '0'",
    "processes?limit=1.5": "limit: expected a whole number from 1 to 10000, not '1.5'",
    "processes?limit=many": "limit: expected a number from 1 to 10000, not 'many'",
    "power?after=yesterday": "after: expected a number of seconds, not 'yesterday'",
    "power?after=": "after: expected a number of seconds, not ''",
    "power?after=nan": "after: expected a number of seconds, not 'nan'",
    "power?after=1e999": "after: expected a number of seconds, not '1e999'",
    "power?after=\n\x1b[31m": "after: expected a number of seconds, not '??[31m'",
    "history?step=0": "step: expected a number from 0.02 to 86400, not '0'",
    "history?by=processes": "by: unknown word 'processes'; did you mean process?",
    "history?from=-5&to=-9": "to: it is before from; give a later time, or leave it out for now",
    "live?history_after=-5&to=3": "'to': unknown parameter; there are after, device, step, by, history_after, include",
    "live?include=snapshot,runs": "include: unknown word 'runs'; there are snapshot, processes, jobs, history",
}


@pytest.mark.parametrize("url", MISTAKES)
def test_a_mistake_is_told_with_its_remedy(api: Client, url: str) -> None:
    path, _, query = url.partition("?")
    query = query.replace("\n", "%0a").replace("\x1b", "%1b")
    assert api.refused(f"/api/v1/{path}?{query}") == MISTAKES[url]


def test_too_many_steps_are_refused_with_a_step_that_works() -> None:
    it = world(Size(history_s=20.0))
    it.history.rows.insert(0, (it.clock.monotonic_s - 20_000, {}))
    api = client(it.sources())
    reason = api.refused("/api/v1/history?from=-20000&step=1")
    assert reason.startswith("step: more than 5000 steps; ask for step=")
    step_s = reason.partition("step=")[2].partition(" ")[0]
    assert len(api.get(f"/api/v1/history?from=-20000&step={step_s}")["start_unix_s"]) <= 5000


def test_too_many_devices_are_refused(api: Client) -> None:
    many = ",".join(map(str, range(300)))
    assert api.refused(f"/api/v1/power?device={many}") == (
        "device: 300 ids; ask for 256 at most, or leave it out for all"
    )


def test_a_long_mistake_is_cut(api: Client) -> None:
    assert len(api.refused("/api/v1/power?after=" + "x" * 5000)) < 100
    assert len(api.refused("/api/v1/power?" + "x" * 5000)) < 100


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.mistakes], ids=lambda entry: entry.path)
def test_the_examples_of_errors_are_what_is_said(api: Client, entry: object) -> None:
    told = {example for one in ENTRIES if one is entry for example in one.mistakes}
    urls = [
        "processes?limt=5", "processes?sort=watts", "power?after=yesterday", "live?after=yesterday",
        "history?from=-5&to=-9",
    ]  # fmt: skip
    said = {api.refused(f"/api/v1/{url}") for url in urls}
    assert {example for example in told if "5000 steps" not in example} <= said


def test_limit_and_sort(api: Client) -> None:
    whole = api.get("/api/v1/processes")["processes"]
    assert [one["power_w"] for one in whole] == sorted((one["power_w"] for one in whole), reverse=True)
    first = api.get("/api/v1/processes?limit=3")
    assert (first["processes"], first["more"]) == (whole[:3], len(whole) - 3)
    assert first["accounts"] == api.get("/api/v1/processes")["accounts"]
    energies = [one["energy_j"] for one in api.get("/api/v1/processes?sort=energy")["processes"]]
    assert energies == sorted(energies, reverse=True)
    assert energies != [one["energy_j"] for one in whole]


TEXTS = st.text(max_size=12) | st.sampled_from(
    ("-1", "1e308", "-1e308", "0", "5e-324", "power", "process", ",,", "1_0")
)


@given(st.sampled_from(sorted(PARAMETERS)), st.data())
def test_no_query_is_a_bug(api: Client, path: str, data: st.DataObject) -> None:
    names = st.sampled_from((*PARAMETERS[path], "x"))
    query = data.draw(st.dictionaries(names | st.text(max_size=5), TEXTS, max_size=4))
    answer = api.ask_for(path, query)
    assert answer.status in {200, 400}
