"""A served report in a real browser, under the policy of the header and that of the page."""

from __future__ import annotations

from pathlib import Path

from exporters.html.browser import Tab, chromium


def test_reports_work_as_they_do_from_a_file(url: str, tmp_path: Path) -> None:
    with chromium(tmp_path / "profile") as chrome:
        tab = Tab(chrome)
        for name in ("full", "bare", "hostile"):
            chrome.get(f"{url}/runs/{name}")
            assert tab.run("document.documentElement.classList.contains('js')")
            assert tab.complaints() == []
        chrome.get(f"{url}/runs/full")
        tab.drag(0.25, 0.5)
        low, high = tab.window()
        assert 0 < low < high < 60
        assert tab.complaints() == []
        assert tab.run(
            "getComputedStyle(document.querySelector('.brand')).color !== getComputedStyle(document.body).color"
        )
        # No script but the page's own runs, and nothing is fetched.
        tab.run(
            "void document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.x = 1'}))"
        )
        assert tab.run("window.x === undefined")
        assert any("Content Security Policy" in line for line in tab.complaints())
        chrome.get(f"{url}/runs/none")
        assert tab.run("document.querySelector('main a').getAttribute('href')") == "../"
        assert tab.run("getComputedStyle(document.body).maxWidth !== 'none'"), "the style is let in"
