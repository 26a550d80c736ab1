"""A query is composed with completion, controls and a cut to drag."""

import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import expect

import evalsets as es

pytestmark = [pytest.mark.app, pytest.mark.db]

ENCODER = Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip"
PANEL = "evalsets_populations"


@pytest.fixture(scope="module")
def views(tmp_path_factory):
    """Scenes with vectors, and a population that a query may name."""
    from examples.demo.scenes import write_world

    folder = tmp_path_factory.mktemp("views")
    rows = write_world(folder, n_scenes=40, seed=4)
    labels = pd.DataFrame(rows).rename(columns={"kind": "label"})
    dataset = es.sync(folder, "editor-views", labels=labels)
    es.embed(dataset, ENCODER)
    es.compose(dataset, es.Population("at night", "time = 'night'"))
    yield dataset
    dataset.delete()


def test_words_are_completed_and_what_is_typed_is_looked_at(app, views):
    page = app.open(views)
    panel = app.open_panel(page, PANEL)
    query = panel.get_by_role("textbox", name="Query")
    query.press_sequentially("weat")
    completions = panel.get_by_role("listbox", name="Completions")
    expect(completions).to_contain_text("weather")
    app.screenshot(page, "editor-1-fields")
    query.press("Tab")
    query.press_sequentially(" = 'su")
    expect(completions).to_contain_text("sunny")
    query.press("Tab")
    expect(query).to_have_value("weather = 'sunny'")
    found = len(es.search(views, "weather = 'sunny'"))
    expect(panel).to_contain_text(f"{found}of {len(views)} samples")
    expect(panel.get_by_role("figure", name="First found")).to_be_visible()
    app.screenshot(page, "editor-2-values")

    query.press_sequentially(" AND popul")
    expect(completions).to_contain_text("population('")
    query.press("Tab")
    expect(completions).to_contain_text("at night")
    query.press("Tab")
    expect(query).to_have_value("weather = 'sunny' AND population('at night'")
    expect(panel.get_by_role("alert")).to_contain_text("^")
    app.screenshot(page, "editor-3-half-typed")
    query.press_sequentially(")")
    both = len(es.search(views, "weather = 'sunny' AND time = 'night'"))
    expect(panel).to_contain_text(f"{both}of {len(views)} samples")

    query.fill("wether = 'sunny'")
    expect(panel.get_by_role("alert")).to_contain_text("did you mean 'weather'?")
    expect(panel.get_by_role("alert")).to_contain_text("^^^^^^")
    app.screenshot(page, "editor-4-unknown-field")
    page.close()


def test_a_cut_is_dragged_and_controls_write_the_query(app, views):
    page = app.open(views)
    panel = app.open_panel(page, PANEL)
    query = panel.get_by_role("textbox", name="Query")
    query.fill("")
    panel.get_by_role("button", name="What it shows").click()
    panel.get_by_label("What the images show").fill("a windy road")
    panel.get_by_label("What the images show").press("Enter")
    expect(query).to_have_value(re.compile(r"^text\('a windy road'\) > [\d.-]+$"))
    cut = panel.get_by_role("slider", name="Cut of text('a windy road')")
    expect(cut).to_be_visible()
    expect(panel.get_by_role("figure", name="Just outside")).to_be_visible()
    app.screenshot(page, "editor-5-text")

    before = query.input_value()
    box = cut.locator("xpath=..").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 30, steps=4)
    page.mouse.up()
    expect(query).not_to_have_value(before)
    n = len(es.search(views, query.input_value()))
    expect(panel).to_contain_text(f"{n}of {len(views)} samples")
    app.screenshot(page, "editor-6-dragged")

    panel.get_by_role("button", name="Field condition").click()
    panel.get_by_label("Field", exact=True).select_option("weather")
    panel.get_by_label("Value").fill("sunny")
    app.screenshot(page, "editor-7-field-form")
    panel.get_by_role("button", name="Add to query").click()
    expect(query).to_have_value(re.compile(r"> [\d.-]+ AND weather = 'sunny'$"))

    panel.get_by_role("button", name="Clear").click()
    panel.get_by_role("button", name="More like the selected").click()
    expect(panel.get_by_role("alert")).to_contain_text("Select samples in the grid")
    tile = page.locator('[data-cy="looker"]').first.bounding_box()
    page.mouse.move(tile["x"] + tile["width"] / 2, tile["y"] + tile["height"] / 2)
    page.mouse.click(tile["x"] + 14, tile["y"] + 14)
    page.wait_for_timeout(1000)
    panel.get_by_role("button", name="More like the selected").click()
    expect(query).to_have_value(re.compile(r"^image\('[0-9a-f]{24}'\) > "))
    expect(panel.get_by_role("figure", name="Nearest")).to_be_visible()
    app.screenshot(page, "editor-8-more-like")
    query.press("Enter")
    counts = page.locator('[data-cy="entry-counts"]')
    n = len(es.search(views, query.input_value()))
    expect(counts).to_have_text(re.compile(rf"^{n} samples"))
    page.close()
