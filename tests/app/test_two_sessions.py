"""Two people have the App open on one dataset, each with a server of their own."""

import re

import fiftyone as fo
import pytest
from playwright.sync_api import expect

import evalsets as es

from .conftest import OWN, App, free_port

pytestmark = [pytest.mark.app, pytest.mark.db]

PANEL = "evalsets_populations"


@pytest.fixture(scope="module")
def second(app):
    """Another App on the same database."""
    session = fo.launch_app(remote=True, address="127.0.0.1", port=free_port())
    served = App(session, app.browser)
    yield served
    session.close()
    assert [error for error in served.errors if error != OWN] == []


@pytest.fixture
def pages(app, second, scenes):
    """The Populations panel of both, with one population."""
    es.compose(scenes, es.Population("sunny", "weather = 'sunny'", holdout=0.2))
    opened = [served.open(scenes, width=1280) for served in (app, second)]
    panels = [
        served.open_panel(page, PANEL)
        for served, page in zip((app, second), opened, strict=True)
    ]
    for panel in panels:
        expect(row(panel, "sunny")).to_be_visible()
    yield opened, panels
    for page in opened:
        page.close()
    for name in es.populations(scenes):
        es.remove(scenes, name)


def row(panel, population):
    return panel.get_by_role("row").filter(has_text=population)


def box(panel):
    return panel.get_by_role("textbox", name="Query")


def name_of(panel):
    return panel.get_by_placeholder("foggy bends")


def menu(page, panel, action):
    row(panel, "sunny").get_by_role("button").click()
    page.get_by_role("menuitem", name=action).click()


def save(panel, query, name):
    box(panel).fill(query)
    name_of(panel).fill(name)
    panel.get_by_role("button", name="Save", exact=True).click()


def test_what_one_types_stays_while_the_other_composes(app, pages, scenes):
    (page, _), (mine, theirs) = pages
    box(mine).fill("num_people > 2")
    name_of(mine).fill("crowded")
    expect(mine).to_contain_text(f"of {len(scenes)} samples")
    save(theirs, "time = 'night'", "night")
    expect(theirs).to_contain_text("Saved 'night'")
    expect(box(mine)).to_have_value("num_people > 2")
    expect(name_of(mine)).to_have_value("crowded")
    expect(row(mine, "night")).to_have_count(0)
    mine.get_by_role("button", name="Save", exact=True).click()
    expect(mine).to_contain_text("Saved 'crowded'")
    expect(row(mine, "night")).to_be_visible()
    assert set(es.populations(scenes)) == {"sunny", "night", "crowded"}
    app.screenshot(page, "sessions-1-both-composed")


def test_the_later_of_two_who_save_one_name_is_told(app, pages, scenes):
    (_, page), (mine, theirs) = pages
    save(mine, "time = 'night'", "dark")
    expect(mine).to_contain_text("Saved 'dark'")
    save(theirs, "num_people > 2", "dark")
    expect(theirs).to_contain_text("There is a population 'dark' already")
    expect(box(theirs)).to_have_value("num_people > 2")
    assert es.populations(scenes)["dark"].query == "time = 'night'"
    expect(row(theirs, "dark")).to_be_visible()
    app.screenshot(page, "sessions-2-name-taken")


def test_a_split_of_one_is_in_the_table_of_the_other_at_its_next_event(app, pages):
    (_, page), (mine, theirs) = pages
    mine.get_by_role("button", name="Split", exact=True).click()
    expect(mine).to_contain_text(re.compile(r"\d+ train, \d+ val, \d+ test"))
    theirs.get_by_role("button", name="Preview").click()
    expect(theirs).to_contain_text("Split would give")
    expect(row(theirs, "sunny")).to_contain_text(re.compile(r"\d+ · \d+ · \d+"))
    app.screenshot(page, "sessions-3-split-by-the-other")


def test_what_the_other_removed_or_changed_is_told_before_it_is_saved_over(
    app, pages, scenes
):
    (other, page), (mine, theirs) = pages
    menu(page, theirs, "Edit")
    expect(box(theirs)).to_have_value("weather = 'sunny'")
    es.compose(scenes, es.Population("sunny", "weather = 'sunny'", holdout=0.5))
    box(theirs).fill("weather = 'sunny' AND time = 'day'")
    theirs.get_by_role("button", name="Save", exact=True).click()
    expect(theirs).to_contain_text("Somebody changed 'sunny' meanwhile")
    expect(row(theirs, "sunny")).to_contain_text("50 %")
    app.screenshot(page, "sessions-4-changed-meanwhile")

    menu(other, mine, "Remove")
    mine.get_by_role("button", name="Remove").click()
    expect(mine).to_contain_text("Removed 'sunny'")
    theirs.get_by_role("button", name="Save", exact=True).click()
    expect(theirs).to_contain_text("Somebody removed 'sunny' meanwhile")
    expect(theirs).to_contain_text("No populations yet")
    app.screenshot(page, "sessions-5-removed-meanwhile")
    assert es.populations(scenes) == {}
    theirs.get_by_role("button", name="Save", exact=True).click()
    expect(theirs).to_contain_text("Saved 'sunny'")
    assert es.populations(scenes)["sunny"].query.endswith("time = 'day'")
