"""Takes the README's pictures of both panels from the real App.

    python examples/pictures/take.py evalsets-demo

The dataset must have populations, a split and an evaluated model, as the demo leaves it.
Needs Chromium and the package playwright, which `make setup` installs.
"""

from __future__ import annotations

import argparse
import io
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["FIFTYONE_DO_NOT_TRACK"] = "1"  # no question about cookies in the picture

import fiftyone as fo
from PIL import Image
from playwright.sync_api import Locator, Page, Route, sync_playwright

import evalsets as es
from evalsets.doctor import find_browser
from evalsets.install import install_plugin

HERE = Path(__file__).resolve().parent
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--use-gl=swiftshader"]
LARGEST = 400_000  # bytes; a README should load fast


def main() -> None:
    """Reads the command line and takes both pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", help="name of the dataset to show")
    parser.add_argument(
        "--query", help="for the Populations panel; by default the first"
    )
    parser.add_argument("--folder", type=Path, default=HERE, help="to write to")
    asked = parser.parse_args()
    if find_browser() is None:
        sys.exit("No Chromium; run: apt-get install chromium")
    known = es.populations(asked.dataset)
    if not known or es.history(asked.dataset).empty:
        sys.exit(f"'{asked.dataset}' has no populations or no evaluation yet")
    query = asked.query or next(iter(known.values())).query
    with opened(asked.dataset) as page:
        save(picture_of_populations(page, query), asked.folder / "populations.png")
        save(picture_of_evaluation(page), asked.folder / "evaluation.png")


@contextmanager
def opened(dataset: str) -> Iterator[Page]:
    """The App on a dataset, in a browser that reaches nothing else."""
    install_plugin()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shown = fo.load_dataset(dataset)
    session = fo.launch_app(shown, remote=True, address="127.0.0.1", port=port)
    url = f"http://127.0.0.1:{port}"

    def only_here(route: Route) -> None:
        own = route.request.url.startswith((url, "data:", "blob:"))
        (route.continue_ if own else route.abort)()

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=find_browser(), args=FLAGS
        )
        page = chromium.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(120_000)
        page.route("**/*", only_here)
        page.goto(f"{url}/datasets/{dataset}", wait_until="domcontentloaded")
        page.locator('[data-cy="looker"]').first.wait_for()
        advertisement = page.get_by_text("Dismiss", exact=True)
        if advertisement.count():
            advertisement.click()
        yield page
        chromium.close()
    session.close()


def picture_of_populations(page: Page, query: str) -> bytes:
    """A query, what it finds, and the table of populations."""
    panel = open_panel(page, "evalsets_populations")
    box = panel.get_by_placeholder("AND text")
    box.fill(query)
    box.press("Enter")
    panel.get_by_text(" samples, ").wait_for()
    return settled(page)


def picture_of_evaluation(page: Page) -> bytes:
    """The last report, with the samples of its worst population."""
    page.locator('[data-cy="panel-tab-evalsets_populations"] svg').last.click()
    panel = open_panel(page, "evalsets_evaluation")
    panel.locator(".scatterlayer .point").first.wait_for()
    panel.locator("tbody tr").nth(1).click()
    settled(page)
    panel.get_by_role("button", name="Evaluate").scroll_into_view_if_needed()
    return settled(page)


def open_panel(page: Page, name: str) -> Locator:
    """The content of a panel, opened beside the samples."""
    page.locator('[data-cy="new-panel-btn"]').first.click()
    page.locator(f'[data-cy="new-panel-option-{name}"]').click()
    panel = page.locator(f'[data-cy="panel-content-{name}"]')
    panel.get_by_role("row").first.wait_for()
    return panel


def settled(page: Page) -> bytes:
    """The page as a picture, once nothing moves any more."""
    page.mouse.move(800, 20)
    before, now = b"", page.screenshot()
    while now != before:
        page.wait_for_timeout(1500)
        before, now = now, page.screenshot()
    return now


def save(picture: bytes, path: Path) -> None:
    """Writes a PNG with as many colours as its size allows."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colors in (256, 128, 64):
        out = io.BytesIO()
        reduced = image.quantize(colors, kmeans=1, dither=Image.Dither.NONE)
        reduced.save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST:
            break
    path.write_bytes(out.getvalue())
    print(f"{path}: {out.tell() // 1000} kB, {colors} colours")


if __name__ == "__main__":
    main()
