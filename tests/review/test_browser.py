"""A real browser works through a morning: by keyboard, desktop and phone, both languages, nothing asked of others."""

import shutil
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from pipeline.store.publishing import publish
from pipeline.store.store import Store
from tests.casework import NOON, make_alert, make_night, make_queue
from tests.conftest import ROOT
from tests.review.conftest import PASSWORD
from tests.stores import empty_database

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium: install the package chromium"),
]
WIDTHS = {"desktop": 1280, "phone": 390}
PAGES = (
    *(
        "/sign-in",
        "/queue",
        "/queue?words=a&waiting=1",
        "/report?id=a",
        "/report?id=b",
        "/matters",
        "/matter?id=m-b",
        "/alerts",
    ),
    *("/bulletin?first=2024-07-01&last=2024-08-01", "/nights", "/model", "/log"),
)
NOWHERE = "/report?id=nowhere"  # answered by the page of errors
AXE = ROOT / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"


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
def store(request, tmp_path):
    """On SQLite only: a browser does not see which database it is."""
    with empty_database("sqlite", tmp_path, request) as database:
        yield Store(database)


@pytest.fixture
def site(store, visitors):
    """Address of the pages on four reports, three of one matter."""
    queue = make_queue("a", "b", "c", "d", matter_id=["m-a", "m-b", "m-b", "m-b"], risk_low=0.05, risk_high=0.95)
    queue["text"] = ["他说要自杀", *queue["text"][1:]]
    publish(store.database, make_night(queue, alerts=[make_alert("s-1")], similar={"b": ["c"]}), now=NOON)
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
    page.on("console", lambda message: wrong.append(message.text) if _is_wrong(message) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(site) else wrong.append(request.url))
    page.goto(f"{site}/queue")
    for name, typed in (("name", "王"), ("password", PASSWORD)):
        _tab_to(page, f"[name={name}]")
        page.keyboard.type(typed)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/queue")
    yield page
    context.close()
    assert wrong == []


def _is_wrong(message):
    """Whether a browser's message is about something amiss; that a page we ask for does not exist is not."""
    return message.type in ("error", "warning") and not message.location["url"].endswith(NOWHERE)


def _tab_to(page, selector):
    """Press Tab until the wanted control has the focus, as somebody without a mouse would."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never reaches {selector} on {page.url}")


def _press(page, selector, address):
    """Go to a control by keyboard, press it, and wait for the page it leads to."""
    _tab_to(page, selector)
    page.keyboard.press("Enter")
    page.wait_for_url(address)


@pytest.mark.parametrize("javascript", [True, False], ids=["with script", "without script"])
def test_the_keyboard_alone_walks_through_a_morning(chromium, site, store, javascript):
    with _open(chromium, site, javascript=javascript) as page:
        _press(page, ".row h2 a", "**/report?id=a")
        _tab_to(page, "[name=other_category]")
        page.keyboard.type("Wages")
        _press(page, "button[value=recategorize]", "**/report?id=a&decided=1**")
        assert store.queue.get("a").category == "wages"
        _press(page, "button[data-key=n]", "**/report?id=a")  # nobody had it in hand yet, so it comes first
        _tab_to(page, "button[value=confirm]")
        page.keyboard.press("Enter")
        page.wait_for_url("**/report?id=b**")
        assert store.queue.get("a").status == "confirmed"
        _press(page, "nav a[href='/matters']", "**/matters")
        _press(page, ".row h2 a", "**/matter?id=m-b")
        _tab_to(page, "textarea")
        page.keyboard.type("同一工地")
        _tab_to(page, "[name=unit]")
        page.keyboard.type("Labour")
        _press(page, "button[value=hand_over]", "**/matter?id=m-b&decided=1&n=3**")
        assert store.queue.get("c").status == "handed_over"
        _press(page, "[role=status] button", "**/queue?undone=1&n=3")
        assert store.queue.get("c").status == "open"
        _press(page, "nav a[href='/alerts']", "**/alerts")
        _tab_to(page, "button[value=acknowledged]")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=acknowledged")
        _press(page, "nav a[href='/bulletin']", "**/bulletin")
        assert page.locator("table").count() == 5


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_axe_finds_nothing_serious_on_any_page(chromium, site, width, locale):
    if not AXE.exists():
        pytest.skip("needs axe-core: npm install --prefix build/axe axe-core")
    source = AXE.read_text(encoding="utf-8")
    found = {}
    with _open(chromium, site, width=width, locale=locale) as page:
        for path in (*PAGES, NOWHERE):
            page.goto(f"{site}{path}")
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
            page.evaluate(source)
            result = page.evaluate("axe.run(document)")
            assert len(result["passes"]) > 10
            found |= {f"{path} {one['id']}": [node["html"][:120] for node in one["nodes"]] for one in result["violations"]}
    assert found == {}


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
        for path in PAGES:
            page.goto(f"{site}{path}")
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, f"{path} scrolls sideways"
            unnamed = page.evaluate(
                """[...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a")].filter((one) =>
                !(one.labels && one.labels.length) && !one.textContent.trim() && !one.getAttribute("aria-label"))
                .map((one) => one.outerHTML)"""
            )
            assert unnamed == []
            assert page.locator("h1").count() == 1
