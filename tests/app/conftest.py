"""The real App, served to a real Chromium."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from evalsets.doctor import find_browser
from evalsets.install import install_plugin

SCREENSHOTS = Path(__file__).resolve().parents[2] / "test-output" / "screenshots"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--use-gl=swiftshader"]
PATIENCE = 60_000  # ms; two busy cores and a software GPU
OWN = "entry is loading"  # FiftyOne's page throws it when an event comes while it loads

expect.set_options(timeout=PATIENCE)


class App:
    """One server and one browser.

    Args:
        session: of FiftyOne, with its server
        browser: shared by all pages
    """

    def __init__(self, session: Any, browser: Browser) -> None:
        self.session = session
        self.url = f"http://127.0.0.1:{session.server_port}"
        self.browser = browser
        self.errors: list[str] = []

    def show(self, dataset: Any) -> None:
        """Opens a dataset in the session, which connects again when it was too busy."""
        deadline = time.monotonic() + 120
        while True:
            try:
                self.session.dataset = dataset
            except RuntimeError:  # FiftyOne's "Client is not connected"
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return

    def open(self, dataset, *, width: int = 1600, height: int = 1000) -> Page:
        """A page that shows a dataset's grid, or that it has no samples."""
        self.show(dataset)
        page = self.browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.route("**/*", self._only_this_machine)
        page.goto(f"{self.url}/datasets/{dataset.name}", wait_until="domcontentloaded")
        tile = page.locator('[data-cy="looker"]')
        tile.or_(page.get_by_text("No samples yet")).first.wait_for()
        self._dismiss(page)
        return page

    def open_panel(self, page: Page, name: str) -> Locator:
        """The content of a panel, opened if it is not open yet."""
        content = page.locator(f'[data-cy="panel-content-{name}"]')
        option = page.locator(f'[data-cy="new-panel-option-{name}"]')
        deadline = time.monotonic() + PATIENCE / 1000
        while (
            not content.count()
        ):  # a menu that opens before the plugin is there lacks it
            page.locator('[data-cy="new-panel-btn"]').first.click()
            try:
                option.click(timeout=PATIENCE / 6)
            except PlaywrightTimeout:
                if time.monotonic() > deadline:
                    raise
                page.keyboard.press("Escape")
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
    port = free_port()
    session = fo.launch_app(remote=True, address="127.0.0.1", port=port)
    served = App(session, browser)
    yield served
    session.close()
    assert [error for error in served.errors if error != OWN] == []


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A hundred drawn scenes with labels, and the predictions of two models.

    The predictions are drawn from the truth: ``steady`` errs on 4 % everywhere,
    ``blind`` on 80 % at night and nowhere else. They test the App, not a model.
    """
    import evalsets as es
    from examples.demo.scenes import write_world

    folder = tmp_path_factory.mktemp("scenes")
    rows = write_world(folder, seed=5, n_scenes=30, frames=(3, 4))
    labels = pd.DataFrame(rows).rename(columns={"kind": "label"})
    dataset = es.sync(str(folder), dataset="app-scenes", labels=labels)
    kinds = sorted(set(labels["label"]))
    rng = np.random.default_rng(0)
    for model, day, night in (("steady", 0.04, 0.04), ("blind", 0.0, 0.8)):
        error = np.where(labels["time"] == "night", night, day)
        wrong = rng.random(len(labels)) < error
        other = [
            kinds[(kinds.index(label) + 1) % len(kinds)] for label in labels["label"]
        ]
        guess = labels[["filepath"]].assign(
            label=np.where(wrong, other, labels["label"])
        )
        es.upload_predictions(dataset, model, guess)
    yield dataset
    dataset.delete()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
