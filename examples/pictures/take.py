"""Takes the pictures of the README and of the tour from the real App.

    python examples/pictures/take.py evalsets-demo

The dataset must be as the demo leaves it: populations, a split, an evaluated model.
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
    """Reads the command line and takes every picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", help="name of the dataset to show")
    parser.add_argument("--folder", type=Path, default=HERE, help="to write to")
    asked = parser.parse_args()
    if find_browser() is None:
        sys.exit("No Chromium; run: apt-get install chromium")
    known = es.populations(asked.dataset)
    if not known or es.history(asked.dataset).empty:
        sys.exit(f"'{asked.dataset}' has no populations or no evaluation yet")
    with opened(asked.dataset) as page:
        for name, picture in (*of_populations(page), *of_evaluation(page)):
            save(picture, asked.folder / f"{name}.png")


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


def of_populations(page: Page) -> Iterator[tuple[str, bytes]]:
    """A query while it is typed, a cut, samples to judge, and a split to be."""
    panel = open_panel(page, "evalsets_populations")
    query = panel.get_by_role("textbox", name="Query")
    query.fill("num_people > 5 AND wea")
    panel.get_by_role("listbox").wait_for()
    yield "tour-1-type", settled(page)
    query.fill("num_people > 5 AND weather = 'sunny'")
    query.press("Enter")
    panel.get_by_role("figure", name="First found").wait_for()
    name = panel.get_by_placeholder("foggy bends")
    name.fill("crowded and sunny")
    yield "tour-2-name", settled(page)
    name.fill("")
    query.fill("text('a windy road') > 0.29 AND NOT text('trees') > 0.33")
    query.press("Enter")
    panel.get_by_role("figure", name="Just outside").first.wait_for()
    yield "populations", settled(page)
    row = panel.get_by_role("row").filter(has_text="sun glare")
    row.get_by_role("button").click()
    page.get_by_role("menuitem", name="Calibrate").click()
    panel.get_by_text("to judge").first.wait_for()
    yield "tour-3-calibrate", settled(page)
    panel.get_by_role("button", name="Done").click()
    panel.get_by_role("button", name="Preview").click()
    panel.get_by_text("in test").first.wait_for()
    panel.get_by_role("button", name="Preview").scroll_into_view_if_needed()
    yield "tour-4-split", settled(page)


def of_evaluation(page: Page) -> Iterator[tuple[str, bytes]]:
    """The last report, with the samples of its worst population, and the mistakes."""
    page.locator('[data-cy="panel-tab-evalsets_populations"] svg').last.click()
    panel = open_panel(page, "evalsets_evaluation")
    panel.locator(".scatterlayer .point").first.wait_for()
    panel.locator("tbody tr").nth(1).click()
    settled(page)
    panel.get_by_role("button", name="Evaluate").scroll_into_view_if_needed()
    yield "evaluation", settled(page)
    panel.get_by_role("tab", name="Mistakes").or_(
        panel.get_by_text("Mistakes")
    ).first.click()
    settled(page)
    panel.get_by_role("button", name="Worst samples").click()
    yield "tour-5-mistakes", settled(page)


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
