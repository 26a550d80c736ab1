"""What the panel shows of another dataset, of an empty one, of a mistake."""

import re

import fiftyone as fo
import pytest
from playwright.sync_api import expect

import evalsets as es

pytestmark = [pytest.mark.app, pytest.mark.db]

PANEL = "evalsets_populations"


@pytest.fixture
def shared(scenes):
    es.compose(scenes, es.Population("sunny", "weather = 'sunny'", holdout=0.2))
    yield scenes
    for name in es.populations(scenes):
        es.remove(scenes, name)


@pytest.fixture
def other(shared):
    made = fo.Dataset("app-other", overwrite=True)
    made.add_sample(fo.Sample(shared.first().filepath, weather="fog"))
    es.compose(made, es.Population("foggy", "weather = 'fog'"))
    yield made
    made.delete()


def row(panel, population):
    return panel.get_by_role("row").filter(has_text=population)


def save(panel, query, name):
    panel.get_by_role("textbox", name="Query").fill(query)
    panel.get_by_placeholder("foggy bends").fill(name)
    panel.get_by_role("button", name="Save").click()


def test_an_answer_about_the_dataset_before_is_not_kept(app, shared, other):
    page = app.open(shared)
    panel = app.open_panel(page, PANEL)
    expect(row(panel, "sunny")).to_be_visible()
    late = []

    def delay(route):
        asked = route.request.post_data or ""
        if not late and "panel_state" in asked and f'"{other.name}"' in asked:
            late.append(route)
        else:
            route.fallback()

    page.route("**/operators/execute", delay)
    with page.expect_request(
        lambda sent: (
            f'"{other.name}"' in (sent.post_data or "")
            and "panel_state" in (sent.post_data or "")
        )
    ):
        app.show(other)
    app.show(shared)
    expect(page).to_have_url(re.compile(shared.name))
    expect(row(panel, "sunny")).to_be_visible()
    with page.expect_request(
        lambda sent: (
            f'"{shared.name}"' in (sent.post_data or "")
            and '"on_load"' in (sent.post_data or "")
        )
    ):
        late[0].continue_()
    expect(row(panel, "sunny")).to_be_visible()
    expect(row(panel, "foggy")).to_have_count(0)
    app.screenshot(page, "states-1-late-answer")
    page.close()


def test_the_panel_follows_to_another_dataset_and_from_an_emptied_one(
    app, shared, other
):
    page = app.open(other)
    panel = app.open_panel(page, PANEL)
    expect(row(panel, "foggy")).to_be_visible()
    other.clear()
    empty = app.open(other)
    expect(empty.get_by_text("No samples yet")).to_be_visible()
    app.screenshot(empty, "states-2-empty")
    empty.close()
    second = app.open(shared)
    panel = app.open_panel(second, PANEL)
    expect(row(panel, "sunny")).to_be_visible()
    expect(row(panel, "foggy")).to_have_count(0)
    app.screenshot(second, "states-3-other-dataset")
    second.close()
    page.close()


def test_what_cannot_be_done_says_what_to_do_in_light(app, shared):
    page = app.open(shared)
    page.get_by_role("button", name="Light mode").click()
    panel = app.open_panel(page, PANEL)
    save(panel, "time = 'night'", "sunny")
    expect(panel).to_contain_text("choose another name")
    app.screenshot(page, "states-5-name-taken")
    query = panel.get_by_role("textbox", name="Query")
    query.fill("time = 'night'\nAND wether = 'fog'")
    expect(panel.get_by_role("alert")).to_contain_text("(line 2, column 5)")
    query.fill("text('windy road') > 0.2")
    expect(panel.get_by_role("alert")).to_contain_text(re.compile("embed", re.I))
    app.screenshot(page, "states-6-no-vectors")
    assert set(es.populations(shared)) == {"sunny"}
    page.close()
