"""What the panels show survives a reload of the page, at any moment."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

import evalsets as es
from evalsets.datasets.locks import writing

from .test_evaluation_parts import judged

pytestmark = [pytest.mark.app, pytest.mark.db]
__all__ = ["judged"]

ENCODER = Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip"


def test_a_split_goes_on_while_the_page_is_loaded_again(app, judged):
    page = app.open(judged)
    panel = app.open_panel(page, "evalsets_populations")
    expect(panel).to_contain_text("Populations (")
    with writing(judged):  # as if another person wrote: the split waits
        panel.get_by_role("button", name="Split", exact=True).click()
        expect(panel.get_by_role("progressbar", name="Splitting")).to_be_visible()
        app.screenshot(page, "reload-1-splitting")
        panel.get_by_role("button", name="Split", exact=True).click()
        expect(page.get_by_text("Still busy: Splitting")).to_be_visible()
        page.reload(wait_until="domcontentloaded")
        panel = app.open_panel(page, "evalsets_populations")
        expect(panel.get_by_role("progressbar", name="Splitting")).to_be_visible()
        app.screenshot(page, "reload-2-still-splitting")
    expect(panel).to_contain_text(re.compile(r"\d+ train"))
    expect(panel.get_by_role("progressbar")).to_have_count(0)
    app.screenshot(page, "reload-3-split")
    page.close()


@pytest.mark.parametrize("turn", range(3))
def test_evaluating_right_after_a_reload_comes_to_an_end(app, judged, turn):
    page = app.open(judged)
    app.open_panel(page, "evalsets_evaluation")
    page.reload(wait_until="domcontentloaded")
    panel = app.open_panel(page, "evalsets_evaluation")
    panel.get_by_role("combobox").nth(2).click()
    page.get_by_role("option", name="val", exact=True).click()
    panel.get_by_role("button", name="Evaluate").click()
    expect(panel).to_contain_text("of val")
    expect(panel).to_contain_text(f"evaluation {turn + 1} on this split")
    expect(panel.get_by_role("progressbar")).to_have_count(0)
    app.screenshot(page, f"reload-4-val-{turn}")
    page.close()


def test_a_search_by_likeness_sends_the_query_and_no_ids(app, judged):
    es.embed(judged, ENCODER)
    page = app.open(judged)
    panel = app.open_panel(page, "evalsets_populations")
    first = judged.first().id
    query = panel.get_by_role("textbox", name="Query")
    query.fill(f"RANK(image('{first}')) <= 100")
    sent = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    query.press("Enter")
    counts = page.locator('[data-cy="entry-counts"]')
    expect(counts).to_have_text(re.compile(r"^100 samples"))
    app.screenshot(page, "reload-5-likeness")
    page.reload(wait_until="domcontentloaded")
    expect(counts).to_have_text(re.compile(r"^100 samples"))
    app.screenshot(page, "reload-6-likeness-again")
    ids = judged.values("id")
    assert max(sum(i in body for i in ids) for body in sent) < 20
    page.close()
