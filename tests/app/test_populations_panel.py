"""A population is composed, split and kept in order without writing code."""

import re

import pytest
from playwright.sync_api import expect

import evalsets as es

pytestmark = [pytest.mark.app, pytest.mark.db]

PANEL = "evalsets_populations"


def query_box(panel):
    return panel.get_by_placeholder(re.compile("AND text"))


def fill(panel, query, name, holdout, require=""):
    query_box(panel).fill(query)
    panel.get_by_placeholder("foggy bends").fill(name)
    panel.get_by_role("spinbutton").first.fill(str(holdout))
    panel.get_by_placeholder(re.compile("accuracy >=")).fill(require)


def menu(page, panel, population, action):
    row = panel.get_by_role("row").filter(has_text=population)
    row.get_by_role("button").click()
    page.get_by_role("menuitem", name=action).click()


def test_a_query_becomes_a_population_with_a_hold_out(app, scenes):
    page = app.open(scenes)
    panel = app.open_panel(page, PANEL)
    expect(panel).to_contain_text("No populations yet")
    app.screenshot(page, "populations-1-empty")

    query_box(panel).fill("num_people > 2 AND weather = 'sunny'")
    query_box(panel).press("Enter")
    found = len(es.search(scenes, "num_people > 2 AND weather = 'sunny'"))
    expect(panel).to_contain_text(f"{found}of {len(scenes)} samples")
    counts = page.locator('[data-cy="entry-counts"]')
    expect(counts).to_have_text(re.compile(rf"^{found} samples"))
    app.screenshot(page, "populations-2-found")

    panel.get_by_placeholder("foggy bends").fill("crowded and sunny")
    panel.get_by_role("button", name="Save").click()
    expect(panel).to_contain_text("Saved 'crowded and sunny'")
    fill(panel, "time = 'night'", "night", 25, "accuracy >= 0.9")
    panel.get_by_placeholder("foggy bends").press("Enter")
    expect(panel).to_contain_text("Saved 'night'")
    expect(panel).to_contain_text("Not split yet")
    app.screenshot(page, "populations-3-saved")

    panel.get_by_role("button", name="Split").click()
    expect(panel).to_contain_text(re.compile(r"\d+ train, \d+ val, \d+ test"))
    n = es.coverage(scenes).frame.loc["night"]
    row = panel.get_by_role("row").filter(has_text="accuracy ≥ 0.9")
    expect(row).to_contain_text(f"{n['test']:.0f} · {n['val']:.0f} · {n['train']:.0f}")
    app.screenshot(page, "populations-4-split")

    row.click()
    expect(counts).to_have_text(re.compile(rf"^{n['n']:.0f} samples"))
    menu(page, panel, "crowded and sunny", "Edit")
    expect(query_box(panel)).to_have_value("num_people > 2 AND weather = 'sunny'")
    app.screenshot(page, "populations-5-edit")

    menu(page, panel, "crowded and sunny", "Remove")
    panel.get_by_role("button", name="Remove").click()
    expect(panel).to_contain_text("Removed 'crowded and sunny'")
    assert list(es.populations(scenes)) == ["night"]
    es.remove(scenes, "night")
    page.close()


def test_a_broken_query_marks_its_place_and_the_panel_stays_usable(app, scenes):
    page = app.open(scenes, width=1180, height=900)
    panel = app.open_panel(page, PANEL)
    query_box(panel).fill("num_people > 2 AND wether = 'sunny'")
    panel.get_by_role("button", name="Search").click()
    expect(panel).to_contain_text("did you mean 'weather'?")
    expect(panel).to_contain_text("^^^^^^")
    app.screenshot(page, "populations-6-broken-query-narrow")
    query_box(panel).fill("weather = 'sunny'")
    panel.get_by_role("button", name="Search").click()
    expect(panel).not_to_contain_text("^^^^^^")
    expect(panel).to_contain_text(f"of {len(scenes)} samples")
    page.close()
