"""The HTML report in a real browser: nothing asked of a network, no error, no barrier, nothing cut off on a phone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from collabeval import render
from report_fixture import write_fixture

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

WIDTHS = {"desktop": 1200, "phone": 390}


def chromium() -> str | None:
    """A Chromium to drive: named by CHROMIUM, on PATH, or Playwright's own (None lets Playwright look)."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    return found


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        own = driver.chromium.executable_path
        program = chromium() or (own if Path(own).exists() else None)
        if program is None:
            pytest.skip("no Chromium found: install one, or run `playwright install chromium`")
        opened = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    notebook, figures = write_fixture(folder / "in")
    return render.render(notebook, figures, folder / "report", ["html"], "embedded").files[0]


@pytest.fixture(params=WIDTHS)
def opened(browser, report, request):
    """The report in a window of the given width, with every request and message it caused."""
    page = browser.new_page(viewport={"width": WIDTHS[request.param], "height": 900})
    page.requests, page.messages = [], []
    page.on("request", lambda asked: page.requests.append(asked.url))
    page.on("console", lambda message: page.messages.append(message.text))
    page.on("pageerror", lambda error: page.messages.append(str(error)))
    page.goto(report.as_uri())
    yield page
    page.close()


def test_only_the_file_itself_is_asked_for(opened, report):
    assert [url for url in opened.requests if not url.startswith("data:")] == [report.as_uri()]


def test_the_browser_has_nothing_to_complain_about(opened):
    assert opened.messages == []


def test_axe_finds_nothing(opened):
    opened.evaluate("document.querySelectorAll('details').forEach(tab => tab.open = true)")
    found = axe.Axe().run(opened).response
    barriers = [f"{rule['id']}: {node['html'][:120]}" for rule in found["violations"] for node in rule["nodes"]]
    assert barriers == []
    assert len(found["passes"]) > 15


def test_the_report_is_set_in_its_own_font(opened):
    assert opened.evaluate("document.fonts.ready.then(() => [...document.fonts].map(font => font.status))") == [
        "loaded",
        "loaded",
    ]


def test_nothing_sticks_out_sideways(opened):
    width = opened.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width[0] <= width[1]


def test_first_stop_of_the_keyboard_skips_to_the_content(opened):
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.textContent") == "Skip to the content"
    opened.keyboard.press("Enter")
    assert opened.url.endswith("#content")


def test_tabs_open_without_a_script(opened):
    assert opened.locator("summary", has_text="Readmission").count() == 1
    hidden = opened.get_by_text("The chance of readmission within 30 days")
    assert not hidden.is_visible()
    opened.locator("summary", has_text="Readmission").click()
    assert hidden.is_visible()


def test_on_paper_every_tab_is_open_and_no_navigation_is_printed(opened):
    opened.emulate_media(media="print")
    assert opened.get_by_text("The chance of readmission within 30 days").is_visible()
    assert not opened.locator("nav").is_visible()
