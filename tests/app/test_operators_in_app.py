"""People find the verbs in the App's operator browser."""

import re

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = [pytest.mark.app, pytest.mark.db]


@pytest.fixture
def pictures(dataset, tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        shade = np.full((64, 96, 3), 40 * number, np.uint8)
        Image.fromarray(shade).save(path)
    samples = [fo.Sample(str(p), number=n) for n, p in enumerate(paths)]
    dataset.add_samples(samples)
    return dataset


def test_the_operator_browser_lists_our_verbs(app, pictures):
    page = app.open(pictures)
    page.locator('[data-cy="action-browse-operations"]').click()
    page.get_by_placeholder("Search operations by name").fill("population")
    for label in ("Compose population", "Remove population", "Refresh populations"):
        page.get_by_text(label, exact=True).wait_for()
    app.screenshot(page, "operator-browser")


def test_a_form_shows_the_remedy_while_one_types(app, pictures):
    page = app.open(pictures)
    page.locator('[data-cy="action-browse-operations"]').click()
    page.get_by_placeholder("Search operations by name").fill("search by query")
    page.get_by_text("Search by query", exact=True).click()
    query = page.get_by_role("dialog").locator("input").first
    query.fill("numbr > 3")
    page.get_by_text("did you mean 'number'").wait_for()
    app.screenshot(page, "operator-form-1-wrong")
    query.fill("number > 3")
    page.get_by_text("did you mean 'number'").wait_for(state="detached")
    page.get_by_role("button", name="Execute").click()
    counts = page.locator('[data-cy="entry-counts"]')
    expect(counts).to_have_text(re.compile("^2 samples"))
    app.screenshot(page, "operator-form-2-done")
