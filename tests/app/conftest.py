"""The real App, served to a real Chromium."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, sync_playwright

from evalsets.doctor import find_browser
from evalsets.install import install_plugin

SCREENSHOTS = Path(__file__).resolve().parents[2] / "test-output" / "screenshots"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--use-gl=swiftshader"]
PATIENCE = 60_000  # ms; two busy cores and a software GPU


class App:
    """One server and one browser.

    Args:
        url: where the server listens
        browser: shared by all pages
    """

    def __init__(self, url: str, browser: Browser) -> None:
        self.url = url
        self.browser = browser
        self.errors: list[str] = []

    def open(self, dataset, *, width: int = 1600, height: int = 1000) -> Page:
        """A page that shows a dataset's grid."""
        page = self.browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.route("**/*", self._only_this_machine)
        page.goto(f"{self.url}/datasets/{dataset.name}", wait_until="domcontentloaded")
        page.locator('[data-cy="looker"]').first.wait_for()
        self._dismiss(page)
        return page

    def open_panel(self, page: Page, name: str) -> Locator:
        """The content of a panel, opened if it is not open yet."""
        content = page.locator(f'[data-cy="panel-content-{name}"]')
        if not content.count():
            page.locator('[data-cy="new-panel-btn"]').first.click()
            page.locator(f'[data-cy="new-panel-option-{name}"]').click()
        content.wait_for()
        return content

    def screenshot(self, page: Page, name: str) -> Path:
        """Keeps what the page looks like, for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        page.screenshot(path=path)
        return path

    def _only_this_machine(self, route: Route) -> None:
        own = route.request.url.startswith((self.url, "data:", "blob:"))
        (route.continue_ if own else route.abort)()

    def _dismiss(self, page: Page) -> None:
        """Closes FiftyOne's advertisement, which covers the right side."""
        advertisement = page.get_by_text("Dismiss", exact=True)
        if advertisement.count():
            advertisement.click()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after each module: Playwright's event loop would disturb other tests."""
    found = find_browser()
    if found is None:
        missing = "no Chromium; run: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def app(browser: Browser) -> Iterator[App]:
    """A server with the plugin; fails if a page of it threw an error."""
    import fiftyone as fo

    install_plugin()
    fo.list_datasets()  # the database must be ours before the server looks for it
    port = _free_port()
    session = fo.launch_app(remote=True, address="127.0.0.1", port=port)
    served = App(f"http://127.0.0.1:{port}", browser)
    yield served
    session.close()
    assert served.errors == []


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
