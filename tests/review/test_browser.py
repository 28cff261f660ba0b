"""A real browser works through a morning: by keyboard, desktop and phone, both languages, nothing asked of others."""

import shutil
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from pipeline.store.publishing import publish
from tests.casework import NOON, make_night, make_queue
from tests.review.conftest import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium: install the package chromium"),
]
WIDTHS = {"desktop": 1280, "phone": 390}


@contextmanager
def _served(app):
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def site(store, visitors):
    """Address of the pages on four reports, three of one matter."""
    queue = make_queue("a", "b", "c", "d", matter_id=["m-a", "m-b", "m-b", "m-b"])
    publish(store.database, make_night(queue), now=NOON)
    with _served(visitors("王", "lead").app) as address:
        yield address


@contextmanager
def _open(chromium, site, *, width="desktop", locale="en-GB", javascript=True):
    """A page whose console errors and requests to other hosts are failures."""
    context = chromium.new_context(
        viewport={"width": WIDTHS[width], "height": 844}, locale=locale, java_script_enabled=javascript
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    wrong = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(site) else wrong.append(request.url))
    page.goto(f"{site}/queue")
    page.fill("[name=name]", "王")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/queue")
    yield page
    context.close()
    assert wrong == []


def test_the_keyboard_alone_reads_corrects_decides_and_goes_on(chromium, site, store):
    with _open(chromium, site) as page:
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("Enter")
        page.wait_for_url("**/report?id=a")
        page.keyboard.press("1")
        page.keyboard.press("a")
        page.wait_for_url("**/report?id=b**")
        assert "1 decided." in page.inner_text("[role=status]")
        assert store.queue.get("a").status == "confirmed"
        page.keyboard.press("?")
        assert page.is_visible("dialog")
        page.keyboard.press("Escape")
        page.focus("textarea")
        page.keyboard.type("axn no key while typing?")
        assert page.input_value("textarea") == "axn no key while typing?"
        assert store.queue.get("b").status == "open"


@pytest.mark.parametrize("javascript", [True, False], ids=["with script", "without script"])
def test_a_matter_is_handed_over_in_bulk_and_taken_back(chromium, site, store, javascript):
    with _open(chromium, site, javascript=javascript) as page:
        page.click("text=Matters")
        page.click(".row h2 a")
        page.fill("textarea", "同一工地")
        page.select_option("[name=unit]", "labour")
        page.click("button[value=hand_over]")
        assert "3 decided." in page.inner_text("[role=status]")
        assert store.queue.get("c").status == "handed_over"
        page.click("[role=status] button")
        assert "3 put back." in page.inner_text("[role=status]")
        assert store.queue.get("c").status == "open"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_no_page_scrolls_sideways_and_every_control_has_a_name(chromium, site, width, locale):
    with _open(chromium, site, width=width, locale=locale) as page:
        for path in ("/queue", "/report?id=a", "/matters", "/matter?id=m-b", "/alerts", "/nights", "/model", "/log"):
            page.goto(f"{site}{path}")
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, f"{path} scrolls sideways"
            unnamed = page.evaluate(
                """[...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a")].filter((one) =>
                !(one.labels && one.labels.length) && !one.textContent.trim() && !one.getAttribute("aria-label"))
                .map((one) => one.outerHTML)"""
            )
            assert unnamed == []
            assert page.locator("h1").count() == 1
