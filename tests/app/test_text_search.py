"""FiftyOne's own text search answers from our index."""

import re
from pathlib import Path

import fiftyone.brain as fob
import pytest
from playwright.sync_api import expect

import evalsets as es

pytestmark = [pytest.mark.app, pytest.mark.db]

ENCODER = Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip"


@pytest.fixture
def searchable(scenes):
    es.embed(scenes, ENCODER)
    fob.compute_similarity(scenes, embeddings=False, backend="faiss", brain_key="sim")
    yield scenes
    scenes.delete_brain_run("sim")


def best(dataset, prompt, k):
    """Ids of the samples most similar to a prompt, by our query language."""
    query = f"SELECT * FROM dataset ORDER BY text('{prompt}') DESC LIMIT {k}"
    return es.search(dataset, query).values("id")


def test_the_grids_search_and_the_search_panel_find_what_text_finds(app, searchable):
    page = app.open(searchable)
    page.locator('[data-cy="action-sort-by-similarity"]').first.click()
    box = page.get_by_placeholder("Type anything!")
    box.fill("a dimly lit factory floor")
    app.screenshot(page, "text-search-1-asked")
    box.press("Enter")
    panel = page.locator('[data-cy="panel-content-similarity_search_panel"]')
    expect(panel).to_contain_text("Completed")
    expect(panel).to_contain_text("25 results")
    # the row around it calls itself disabled, for dragging
    panel.get_by_role("button", name="Show results", exact=True).click(force=True)
    counts = page.locator('[data-cy="entry-counts"]')
    expect(counts).to_have_text(re.compile("^25 samples"))
    app.screenshot(page, "text-search-2-found")
    found = app.session.view.values("id")
    assert found == best(searchable, "a dimly lit factory floor", 25)

    panel.get_by_role("button", name="New Search").click()
    expect(panel).to_contain_text("Backend: faiss")
    panel.get_by_text("Full Dataset").click()
    panel.get_by_placeholder("Enter a text prompt").fill("sunset")
    panel.get_by_role("spinbutton").fill("7")
    panel.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Execute")).click()
    expect(panel).to_contain_text("7 results")
    app.screenshot(page, "text-search-3-panel")
    page.close()
