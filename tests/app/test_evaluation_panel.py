"""A model's weakness shows, and a click opens the samples behind it."""

import re

import pytest
from playwright.sync_api import expect

import evalsets as es

pytestmark = [pytest.mark.app, pytest.mark.db]

PANEL = "evalsets_evaluation"


@pytest.fixture(scope="module")
def suite(scenes):
    """Nearly all of the night and of the sunny day held out, with requirements."""
    require = (es.Requirement("accuracy", at_least=0.8),)
    es.compose(
        scenes,
        [
            es.Population("night", "time = 'night'", 0.9, require),
            es.Population("sunny <day>", "weather = 'sunny'", 0.9, require),
        ],
    )
    es.split(scenes)
    return scenes


def choose(page, panel, position, option):
    panel.get_by_role("combobox").nth(position).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_a_failing_population_opens_its_samples(app, suite):
    page = app.open(suite)
    panel = app.open_panel(page, PANEL)
    expect(panel).to_contain_text("Not evaluated yet")
    app.screenshot(page, "evaluation-1-new")

    choose(page, panel, 0, "blind")
    choose(page, panel, 1, "steady")
    panel.get_by_role("button", name="Evaluate").click()
    night = panel.get_by_role("row").filter(has_text="night")
    expect(night).to_contain_text("FAIL")
    sunny = panel.get_by_role("row").filter(has_text="sunny <day>")
    expect(sunny).not_to_contain_text("FAIL")
    expect(panel).to_contain_text(
        "Misses what is required on 1 of 2 populations: night"
    )
    panel.locator(".scatterlayer .point").first.wait_for()
    app.screenshot(page, "evaluation-2-verdicts")

    night.click()
    n = len(es.select(suite, split="test", population="night"))
    counts = page.locator('[data-cy="entry-counts"]')
    expect(counts).to_have_text(re.compile(rf"^{n} samples"))
    app.screenshot(page, "evaluation-3-samples")

    night.get_by_role("button").click()
    page.get_by_role("menuitem", name="Show mistakes").click()
    expect(counts).not_to_have_text(re.compile(rf"^{n} samples"))
    app.screenshot(page, "evaluation-4-mistakes")

    point = panel.locator(".scatterlayer .point").first  # the failing population's
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()
    expect(counts).to_have_text(re.compile(rf"^{n} samples"))
    app.screenshot(page, "evaluation-5-plot-click")
    page.close()


def test_the_last_report_is_there_when_the_panel_opens(app, suite):
    es.evaluate(suite, "steady")
    page = app.open(suite, width=1180, height=900)
    panel = app.open_panel(page, PANEL)
    choose(page, panel, 0, "blind")
    expect(panel).to_contain_text("FAIL")
    choose(page, panel, 0, "steady")
    expect(panel).not_to_contain_text("FAIL")
    app.screenshot(page, "evaluation-6-narrow")
    assert len(es.history(suite)) == 2
    page.close()
