"""The panel stays right while others work on the dataset, and at a reload."""

import re

import pytest
from playwright.sync_api import expect

import evalsets as es

pytestmark = [pytest.mark.app, pytest.mark.db]

PANEL = "evalsets_populations"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def shared(scenes):
    es.compose(scenes, es.Population(HOSTILE, "time = 'night'", holdout=0.25))
    es.compose(scenes, es.Population("sunny", "weather = 'sunny'", holdout=0.2))
    yield scenes
    for name in es.populations(scenes):
        es.remove(scenes, name)


def test_a_split_is_previewed_and_releases_are_compared(app, shared):
    page = app.open(shared)
    panel = app.open_panel(page, PANEL)
    expect(panel).to_contain_text(HOSTILE)
    panel.get_by_role("button", name="Preview").click()
    expect(panel).to_contain_text(re.compile(r"Split would give \d+ train"))
    app.screenshot(page, "shared-1-preview")
    panel.get_by_role("button", name="Split").click()
    expect(panel).to_contain_text("Test · val · train")
    panel.get_by_role("button", name="Show overlap").click()
    expect(panel.get_by_role("button", name="Hide overlap")).to_be_visible()
    expect(panel.locator(".js-plotly-plot")).to_be_visible()
    app.screenshot(page, "shared-2-overlap")
    panel.get_by_role("button", name="Release").click()
    expect(panel).to_contain_text("Release 1 of")
    panel.get_by_role("button", name="Compare").click()
    expect(panel).to_contain_text("From release 1 to now: nothing changed")
    app.screenshot(page, "shared-3-released")
    page.close()


def test_what_another_tab_removed_is_told_and_the_table_follows(app, shared):
    page = app.open(shared, width=1100)
    panel = app.open_panel(page, PANEL)
    row = panel.get_by_role("row").filter(has_text="sunny")
    expect(row).to_be_visible()
    es.remove(shared, "sunny")
    row.click()
    expect(panel).to_contain_text("No population 'sunny'")
    expect(panel).to_contain_text("Populations (1)")
    app.screenshot(page, "shared-4-removed-narrow")

    query = panel.get_by_role("textbox", name="Query")
    query.fill("weather = 'sunny'")
    expect(panel).to_contain_text(f"of {len(shared)} samples")
    page.reload(wait_until="domcontentloaded")
    panel = app.open_panel(page, PANEL)
    expect(panel).to_contain_text(HOSTILE)
    panel.get_by_role("textbox", name="Query").fill("time = 'night'")
    expect(panel).to_contain_text(f"of {len(shared)} samples")
    app.screenshot(page, "shared-5-reloaded")
    page.close()
