"""What comes and goes: the reader, the agent, the right to look, a device."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from aipower.daemon.health import Health
from aipower.errors import SensorFailedError, SensorGoneError
from daemon.sites import USERS
from live.conftest import Opener
from live.figures import NO_TOTAL, UNKNOWN
from live.page import LivePage, hidden

GONE = "GPU-00000001"
WATCHED_S = 2.5
LOOK = "getComputedStyle(document.querySelector('.totals')).filter"


def moved(page: LivePage, seconds: float = 1.0) -> bool:
    """Let time pass for the agent; always true."""
    page.served.world.advance(seconds)
    return True


def test_hidden_tab_asks_nothing_and_catches_up(opened: Opener) -> None:
    page = opened("usual")
    world = page.served.world
    page.walk("End", 1)
    with hidden(page.tab):
        time.sleep(0.3)
        asked = page.served.polls()
        time.sleep(WATCHED_S)
        assert page.served.polls() == asked
        world.advance(20)
    page.until(lambda: page.served.polls() > asked)
    ticks = page.served.get("/api/v1/power").json()["at_unix_s"][-20:]
    page.until(lambda: _known(page.walk("End", 1) + page.walk("ArrowLeft", 19)))
    assert ticks[-1] - ticks[0] > 18
    assert page.well() == []


def _known(heard: list[str]) -> bool:
    """True where the chart has a power at each of these steps."""
    return all(NO_TOTAL not in words and "total" in words for words in heard)


def test_agent_that_restarts_is_found_again_without_a_reload(opened: Opener) -> None:
    page = opened("one", alone=True)
    page.run("void (window.kept = 1)")
    page.served.stop()
    page.until(lambda: page.text("#banner").startswith("No connection to the agent"))
    page.until(lambda: page.run("document.body.classList.contains('stale')"))
    world = page.served.world
    world.machine.clock.now_s += 20
    world.restart_agent()
    page.served.start()
    page.until(lambda: moved(page) and page.text(".state") == "Live")
    page.until(lambda: moved(page) and not page.text("#banner").startswith("No connection"))
    assert not page.run("document.body.classList.contains('stale')")
    assert page.run("window.kept") == 1
    heard = page.walk("End", 1) + page.walk("ArrowLeft", 60)
    known = [NO_TOTAL not in words for words in heard]
    gap = known.index(False, known.index(True))
    assert 10 <= known.index(True, gap) - gap <= 25, heard
    assert [one for one in page.well() if "ERR_CONNECTION_REFUSED" not in one] == []


def test_agent_that_is_gone_leaves_its_last_figures_greyed(opened: Opener) -> None:
    page = opened("one", alone=True)
    energy = page.texts(".totals dd > span:first-child")[1]
    page.served.stop()
    page.until(lambda: page.text("#banner").startswith("No connection to the agent"))
    page.until(lambda: page.text(".state").startswith("No connection for"))
    assert page.texts(".totals dd > span:first-child")[1] == energy
    assert page.run(LOOK) == "grayscale(1)"
    page.served.start()
    page.until(lambda: page.text(".state") == "Live")
    assert page.run(LOOK) == "none"


def test_agent_without_fresh_samples_says_so(opened: Opener) -> None:
    page = opened("one", alone=True)
    page.served.world.agent.health = Health(ok=False, reason="no sample lately: a sensor hangs", sample_age_s=42.0)
    page.until(lambda: "no fresh sample" in page.text("#banner"))
    assert "a sensor hangs" in page.text("#banner")
    page.served.world.agent.health = Health(ok=True, sample_age_s=0.0)
    page.until(lambda: page.text(".state") == "Live")


def test_refusal_is_told_until_it_ends(opened: Opener) -> None:
    page = opened("one", alone=True)
    page.served.front.refuses = True
    page.until(lambda: page.text("#banner").startswith("The agent refuses to answer"))
    assert page.text(".state").startswith("Access refused")
    page.served.front.refuses = False
    page.until(lambda: page.text(".state") == "Live")
    assert "refuses" not in page.text("#banner")


def test_password_in_the_address_lets_in(opened: Opener, tmp_path: Path) -> None:
    page = opened("one", alone=True)
    rules = tmp_path / "web.yml"
    rules.write_text(USERS)
    page.served.guard(rules)
    assert page.served.get("/api/v1/snapshot").status_code == page.served.get("/").status_code == 401
    page.tab.chrome.get(page.served.url.replace("http://", "http://ada:secret@"))
    page.until(lambda: page.text(".state") == "Live")
    assert page.count("#processes tbody > tr") == 1


def test_device_that_goes_has_no_power_and_comes_back(opened: Opener) -> None:
    page = opened("usual", alone=True)
    world = page.served.world
    card = f".card:has([title$='{GONE}'])"
    energy = page.text(f"{card} .card-foot > span").split(" ±")[0]
    world.break_sensor(GONE, SensorGoneError("gone", "it fell off the bus"))
    page.until(lambda: moved(page) and page.text(f"{card} .card-power") == UNKNOWN)
    assert page.text(f"{card} .card-trouble").startswith("Gone since")
    # What was read before it went is still split at the end of the window.
    number, unit = page.text(f"{card} .card-foot > span").split(" ±")[0].split()[:2]
    assert unit == energy.split()[1]
    assert float(number) == pytest.approx(float(energy.split()[0]), rel=0.01)
    assert "not all devices are up" in page.text(".state")
    page.until(lambda: ["GPU 1", "cannot be read"] in [row[:2] for row in page.rows("#health tbody tr")])
    assert any(row[:2] == ["GPU 1", "gone"] for row in page.rows("#health tbody tr"))
    page.tab.click(f"{card} .card-choose")
    page.until(lambda: page.text("#chart .chart-scope") == "GPU 1")
    page.until(lambda: NO_TOTAL in page.walk("End", 1)[0])
    world.mend_sensor(GONE)
    page.until(lambda: moved(page) and page.text(f"{card} .card-power") not in {UNKNOWN, ""})
    page.until(lambda: moved(page) and page.text(".state") == "Live")
    assert page.text(f"{card} .card-trouble").startswith("Faults: gone")
    assert page.well() == []


def test_sensor_that_fails_is_down_with_its_faults_counted(opened: Opener) -> None:
    page = opened("one", alone=True)
    page.served.world.break_sensor("package-0", SensorFailedError("read_failed", "no permission"))
    page.until(lambda: moved(page) and "read failed" in page.text(".card.down .card-trouble"))
    assert page.text(".card.down .card-power") == UNKNOWN
